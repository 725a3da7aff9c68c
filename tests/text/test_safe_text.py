"""Untrusted text cannot act on a terminal, however it is split into chunks."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asstproxy.core.codec import repair_surrogates
from asstproxy.text.safe_text import Cleaner, clean, clean_line
from cli.render.screen import Terminal

SEQUENCES = (
    "\x1b[31m",
    "\x1b[2J",
    "\x1b[?1049h",
    "\x1b]0;title\x07",
    "\x1b]52;c;aGk=\x1b\\",
    "\x1b]8;;http://evil\x1b\\",
    "\x1bP+q\x1b\\",
    "\x1b_payload\x9c",
    "\x1bc",
    "\x1b(0",
    "\x1b#8",
    "\x9b31m",
    "\x9d0;title\x9c",
    "\x90q\x9c",
)
ALPHABET = [*"\x1b\x1b\x1b[]P\\\x07\x9b\x9c\x9d\x18\r\n\t;0mA z", "\u202e", "\ud800", "é", "漢"]
hostile = st.text(st.sampled_from(ALPHABET), max_size=40) | st.text(st.characters(exclude_categories=()), max_size=40)


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_sequences_vanish_whole(sequence: str) -> None:
    """An escape sequence leaves nothing behind, and the text around it stays."""
    assert clean(f"before {sequence}after") == "before after"


@pytest.mark.parametrize("control", [*map(chr, [*range(9), 11, 12, *range(14, 27), 28, 29, 30, 31, 127, 0x85, 0x9C])])
def test_controls_vanish(control: str) -> None:
    """No control character remains except line feed and tab."""
    assert clean(f"a{control}b\tc\nd") == "ab\tc\nd"


@pytest.mark.parametrize("mark", [*"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"])
def test_bidirectional_overrides_vanish(mark: str) -> None:
    """The order on the screen is the order of the text."""
    assert clean(f"user{mark}gnp.exe") == "usergnp.exe"


def test_a_lone_surrogate_is_shown() -> None:
    """A lone surrogate is replaced, and the result can be encoded."""
    assert clean("a\ud83db") == "a�b"
    assert repair_surrogates("a\ud83db\x1b[m") == "a�b\x1b[m"


@pytest.mark.parametrize(
    ("text", "shown"),
    [("50 %\r100 %", "50 %\n100 %"), ("a\r\nb", "a\nb"), ("a\r\r\nb", "a\n\nb"), ("a\n\rb", "a\n\nb"), ("a\r", "a\n")],
)
def test_a_carriage_return_overwrites_nothing(text: str, shown: str) -> None:
    """The text before it and the text after it stay readable."""
    assert clean(text) == shown


@pytest.mark.parametrize("opening", ["\x1b]", "\x9d", "\x1bP", "\x1b_", "\x1b^", "\x1bX"])
def test_an_open_string_does_not_swallow_the_answer(opening: str) -> None:
    """An unterminated sequence removes one line at most."""
    assert clean(f"first {opening}0;second\nthird") == "first \nthird"


def test_a_cancelled_sequence_ends_there() -> None:
    """CAN and SUB end a sequence, as in a terminal; a new escape begins a new one."""
    assert clean("a\x1b]0;x\x18b\x1b[3\x18c\x1b]0;x\x1b[1md") == "abcd"


@given(hostile, st.data())
def test_any_chunking_gives_the_same(text: str, data: st.DataObject) -> None:
    """Split anywhere or fed at once, the result is the same."""
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    cleaner = Cleaner()
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert "".join(map(cleaner.feed, pieces)) == clean(text)


@given(hostile)
def test_what_comes_out_is_harmless(text: str) -> None:
    """Nothing remains that a terminal obeys, the text can be encoded, and cleaning it again changes nothing."""
    shown = clean(text)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", shown)
    shown.encode()
    assert clean(shown) == shown


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cf"]) | st.sampled_from("\n\t")))
def test_harmless_text_stays_as_it_is(text: str) -> None:
    """Text without control and format characters is not changed."""
    assert clean(text) == text


@given(hostile)
def test_a_terminal_only_shows_it(text: str) -> None:
    """On an emulated terminal, the title does not change and nothing is answered."""
    terminal = Terminal(columns=200, rows=100)
    terminal.write(clean(text))
    assert terminal.title == ""


def test_long_hostile_text_takes_no_time() -> None:
    """A million openings are read once, not once each."""
    assert clean("\x1b]" * 500_000) == ""
    assert clean("\x1b[" * 500_000 + "m") == ""


def test_a_line_is_one_line() -> None:
    """Titles and server messages become one line."""
    assert clean_line(" a\r\n\tb \x1b[1m c\u2028d ") == "a b c d"
