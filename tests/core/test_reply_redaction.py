"""Redaction of what an assistant sends: whole texts, and texts that arrive in pieces."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asstproxy.core.redact import hide_cut_end, remove_secrets
from asstproxy.core.reply_redaction import TextRedactor

KEY = "sk-proj-Zyx/wvu+tsr_0123456789abcdef"
FORMS = {
    "as it is": KEY,
    "blanks": " ".join(KEY),
    "line ends": "\n".join(KEY[at : at + 7] for at in range(0, len(KEY), 7)),
    "percent": quote(KEY, safe=""),
    "all percent": "".join(f"%{byte:02X}" for byte in KEY.encode()),
    "all percent, lower": "".join(f"%{byte:02x}" for byte in KEY.encode()),
    "percent, some of it": "".join(c if at % 3 else f"%{ord(c):02x}" for at, c in enumerate(KEY)),
    "JSON": json.dumps(KEY).strip('"').replace("/", "\\/"),
    "all JSON": "".join(f"\\u{byte:04x}" for byte in KEY.encode()),
    "JSON, in escaped lines": "\\n".join(KEY[at : at + 5] for at in range(0, len(KEY), 5)),
    "Markdown": "".join(c if c.isalnum() else f"\\{c}" for c in KEY),
    "zero-width": "\u200b".join(KEY),
    "soft hyphens, NULs": "\u00ad\0".join(KEY),
    "spaced escapes": " ".join(f"% {byte:02x}" for byte in KEY.encode()),
    **{f"base64 after {n}": base64.b64encode(b"x" * n + KEY.encode() + b"yz").decode() for n in range(4)},
    "base64 alone": base64.b64encode(KEY.encode()).decode(),
    "base64 for URLs": base64.urlsafe_b64encode(KEY.encode()).decode(),
    "base64 in lines": base64.encodebytes(KEY.encode() * 3).decode(),
}


def _gives_away(text: str) -> bool:
    """Whether eight letters in a row of the key can be had from a text."""
    squeezed = "".join(text.split())
    pieces = {
        form[at : at + 12] for form in map("".join, map(str.split, FORMS.values())) for at in range(3, len(form) - 14)
    }
    return any(piece in squeezed for piece in pieces)


@pytest.mark.parametrize("form", FORMS)
def test_a_secret_is_found_in_every_form(form: str) -> None:
    """As it is, with blanks or line ends in it, percent-encoded, in base64 at any place; the text around it stays."""
    text = remove_secrets(f"The key: {FORMS[form]}. That was it.", [KEY])
    assert text.startswith("The key: ")
    assert text.endswith("That was it.")
    assert "[key]" in text
    assert not _gives_away(text)


@pytest.mark.parametrize("form", FORMS)
@given(data=st.data())
def test_a_secret_is_found_however_it_is_split(form: str, data: st.DataObject) -> None:
    """Whatever the pieces, down to single letters, the result is that of the whole text."""
    text = f"sky sk- {FORMS[form]} and so on"
    cuts = sorted(data.draw(st.sets(st.integers(1, len(text) - 1), max_size=len(text))))
    redactor = TextRedactor([KEY])
    pieces = [redactor.feed(text[begin:end]) for begin, end in zip([0, *cuts], [*cuts, None], strict=True)]
    shown = "".join(pieces) + redactor.flush()
    if not form.startswith("base64"):  # there it begins within a word
        assert shown == "sky sk- [key] and so on"
    assert shown == remove_secrets(text, [KEY]) or form.startswith("base64 after")
    assert not _gives_away(shown)
    assert "[key]" in shown
    assert shown.startswith("sky sk- ")
    assert shown.endswith(" and so on")


@given(st.data())
def test_a_secret_written_with_fillers_leaves_no_letter(data: st.DataObject) -> None:
    """Blanks, line ends, zero-width characters between its letters, each letter plain or escaped, piece by piece."""
    fillers = st.text(st.sampled_from(" \n\t\u200b\u2060\ufeff"), max_size=3)
    letter: st.SearchStrategy[Callable[[str], str]] = st.sampled_from(
        [str, lambda c: f"%{ord(c):02X}", lambda c: f"\\u{ord(c):04x}"]
    )
    written = "".join(
        data.draw(letter)(c) + (data.draw(fillers) if at < len(KEY) - 1 else "") for at, c in enumerate(KEY)
    )
    redactor = TextRedactor([KEY])
    assert "".join(map(redactor.feed, f"It is: {written}.")) + redactor.flush() == "It is: [key]."
    assert remove_secrets(f"It is: {written}.", [KEY]) == "It is: [key]."


@given(st.lists(st.text(st.sampled_from("sk-proZyx \n[e]"), max_size=12), max_size=12))
def test_what_is_no_secret_stays_as_it_is(pieces: list[str]) -> None:
    """Nothing is lost, added or reordered in a text without the key, however much it looks like one."""
    redactor = TextRedactor([KEY])
    text = "".join(map(redactor.feed, pieces))
    rest = redactor.flush()
    assert text + rest == "".join(pieces) or (rest == "[key]" and "".join(pieces).startswith(text))


@given(st.data())
def test_secrets_that_begin_alike_or_follow_each_other_are_hidden_whole(data: st.DataObject) -> None:
    """However the text is split, nothing of the longer one stays behind the shorter one, and none is written twice."""
    secrets = [KEY, KEY[:12], "tok-" + KEY]
    text = " and ".join(data.draw(st.lists(st.sampled_from([*secrets, KEY * 2, "sky"]), max_size=4)))
    cuts = sorted(data.draw(st.sets(st.integers(1, max(len(text) - 1, 1)), max_size=40)))
    redactor = TextRedactor(secrets)
    pieces = [redactor.feed(text[begin:end]) for begin, end in zip([0, *cuts], [*cuts, None], strict=True)]
    assert "".join(pieces) + redactor.flush() in (
        remove_secrets(text, secrets),
        hide_cut_end(remove_secrets(text, secrets), secrets),
    )


def test_a_secret_that_was_cut_at_the_end_leaves_no_prefix() -> None:
    """A limit of the output may end an answer within the key; a few letters are no secret."""
    for length in range(len(KEY)):
        text = hide_cut_end(f"It is {KEY[:length]}", [KEY])
        assert text == (f"It is {KEY[:length]}" if length < 8 else "It is [key]")
        redactor = TextRedactor([KEY])
        assert "".join(map(redactor.feed, f"It is {KEY[:length]}")) + redactor.flush() in (
            f"It is {KEY[:length]}",
            "It is [key]",
        )


def test_a_piece_that_ends_like_no_secret_does_not_wait() -> None:
    """Without a key near, every piece passes at once, as it is; only a word's beginning that is one of the key waits."""
    redactor = TextRedactor([KEY])
    for piece in ("Hello", " wor", "lds", "k", "-", " task", "-", "pqr", " 100%", " of the desk", "!"):
        assert redactor.feed(piece) == piece
    assert [redactor.feed(piece) for piece in (" and s", "k", "y")] == [" and ", "", "sky"]


@pytest.mark.parametrize(
    "text", ["C:\\users\\new", "100%", "50%25", "%", "\\", "\\u00", "a\\u0073k", "%73%6b", "s k i e s"]
)
def test_escapes_in_other_text_stay(text: str) -> None:
    """Whatever looks like the beginning of an escaped key is as it was, in pieces and at the end of a text."""
    redactor = TextRedactor([KEY])
    assert "".join(map(redactor.feed, text)) + redactor.flush() == text
    assert hide_cut_end(remove_secrets(text, [KEY]), [KEY]) == text
