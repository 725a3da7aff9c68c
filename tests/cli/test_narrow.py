"""What the commands print on a terminal of 60 columns: no word is broken in two."""

from __future__ import annotations

import re

import pytest

from asstproxy.cli.fitted import fitted
from asstproxy.cli.help_topics import TOPICS, topic_text
from cli.conftest import ASST, Asst
from cli.terminal import Terminal


@pytest.mark.parametrize("arguments", [(), ("help",), ("tools", "list"), ("templates", "list")])
def test_lines_are_broken_between_words(asst: Asst, arguments: tuple[str, ...]) -> None:
    """Every word that a pipe gets is on the screen, in one piece."""
    piped = asst(*arguments)
    with Terminal([ASST, *arguments], 60, 40) as terminal:
        terminal.wait_end()
        shown = terminal.text.split()
    wanted = f"{piped.out} {piped.err}".split()
    assert len(wanted) > 10
    assert set(wanted) <= {*shown, "·"}


def test_every_finding_of_the_doctor_fits(asst: Asst) -> None:
    """`doctor -v`: what is found continues in its own column, and a hint stands there, too."""
    with Terminal([ASST, "doctor", "-v", "--offline"], 60, 60) as terminal:
        terminal.wait_end()
        rows = terminal.text.splitlines()
    packages = next(at for at, row in enumerate(rows) if row.startswith("  ok       packages "))
    assert re.match(r" {31}\S", rows[packages + 1])
    assert f"{'':<31}→ Run: asst setup" in rows
    assert all(len(row.split()) < 5 or row[:2] == "  " or len(row) < 60 for row in rows)


@pytest.mark.parametrize("topic", TOPICS)
def test_topics_fit(topic: str) -> None:
    """At 60 columns no row is wider, and what was said of a key or an option goes on below its beginning."""
    rows = fitted(topic_text(topic), 60, paragraphs=True).splitlines()
    assert all(len(row) <= 60 or "/" in row.split()[-1] for row in rows)  # a path stays whole
    assert " ".join(rows).split() == topic_text(topic).split()


def test_a_paragraph_is_broken_as_one_text() -> None:
    """No short row stays in the middle, where the text had a line end; where it fits, it is left alone."""
    text = "one two three\nfour five\n\n  six\nseven\n"
    assert fitted(text, 10, paragraphs=True) == "one two\nthree four\nfive\n\n  six\nseven\n"
    assert fitted(text, 13, paragraphs=True) == text


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        ("one two three\n", "one two\nthree\n"),
        (
            "  ask    one question, one answer and more\n",
            "  ask    one question, one answer\n         and more\n",
        ),
        ("  a-very-long-name-of-it  words words\n", "  a-very-long-name-of-it\n  words words\n"),
        ("https://example.org/a/long/address/of/it\n", "https://example.org/a/long/address/of/it\n"),
        ("fits\n\nfits\n", "fits\n\nfits\n"),
        ("  1. ask the first of these other things\n", "  1. ask the first of these other\n     things\n"),
    ],
)
def test_the_rest_of_a_line_stands_below_its_last_part(text: str, broken: str) -> None:
    """A name in a column of its own keeps that column; a long word, such as an address, stays whole."""
    width = 12 if text.startswith("one") else 34 if "ask" in text else 25
    assert fitted(text, width) == broken


def test_help_of_a_group_is_whole_in_a_narrow_terminal(asst: Asst) -> None:
    """What each command does is folded, not cut off."""
    for group in ("setup", "sessions", "mcp", "templates"):
        with Terminal([ASST, group, "--help"], 50, 40) as terminal:
            terminal.wait_end()
            assert "..." not in terminal.text.partition("Commands:\n")[2]
