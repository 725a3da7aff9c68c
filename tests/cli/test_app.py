"""The commands of `asst`, and their help."""

from __future__ import annotations

import re

import pytest

from asstproxy.cli.app import COMMANDS

from .conftest import Asst


def test_asst_alone_says_what_it_does_and_what_you_have(asst: Asst) -> None:
    """In fewer than 15 rows of 80 columns, on stdout; every command that it names exists; the look options change nothing."""
    ran = asst()
    assert (ran.code, ran.err) == (0, "")
    rows = ran.out.splitlines()
    assert len(rows) < 15
    assert max(map(len, rows)) <= 80
    assert "No profile yet: local answers. To add one: asst setup" in ran.out  # the tests have its packages
    named = re.findall(r"^  asst ([a-z]+)(?:, ([a-z]+))?", ran.out, re.MULTILINE)
    assert len(named) == 8
    assert {name for pair in named for name in pair if name} <= set(COMMANDS)
    assert asst("--theme", "mono").out == ran.out
    for name in ("one", "two"):
        assert asst("setup", "gpt", "--name", name, "--yes", "--no-check").code == 0
    assert "You have: one (default), two\n" in asst().out


@pytest.mark.parametrize("command", [("sessions",), ("tools",)], ids=" ".join)
def test_a_group_alone_prints_its_help(asst: Asst, command: tuple[str, ...]) -> None:
    """On stdout, exit code 0, as with `--help`."""
    ran = asst(*command)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("Usage: asst ")
    assert ran.out.strip() == asst(*command, "--help").out.strip()


def test_help_lists_every_command_with_one_sentence(asst: Asst) -> None:
    """In 80 columns, none cut off."""
    _, _, listed = asst("--help").out.partition("Commands:\n")
    rows = [line.split(maxsplit=1) for line in listed.splitlines()]
    assert [name for name, _ in rows] == list(COMMANDS)
    assert all(words.endswith(".") and "..." not in words for _, words in rows)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(asst: Asst, command: str) -> None:
    """`-h` prints it; in 80 columns, what its own commands do is not cut off."""
    ran = asst(command, "-h")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(f"Usage: asst {command} ")
    assert "..." not in ran.out.partition("Commands:\n")[2]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["aks", "hi"], "Did you mean 'ask'? See: asst --help"),
        (["sessions", "lsit"], "Did you mean 'list'? See: asst sessions --help"),
        (["sesions"], "Did you mean 'sessions'? See: asst --help"),
        (["what is a mutex?"], 'To ask it: asst ask "what is a mutex?"'),
        (["what", "is", "it"], 'To ask it: asst ask "what is it"'),
        (["ask", "--tiemout", "3", "hi"], "--timeout"),
        (["ask", "--timeout", "soon", "hi"], "See: asst ask --help"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_typing_error_is_one_line_that_helps(asst: Asst, arguments: list[str], words: str) -> None:
    """What was probably meant, and the help of the command that was meant."""
    ran = asst(*arguments)
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (2, "", 1)
    assert words in ran.err


@pytest.mark.parametrize(
    "arguments", [["dog"], ["setting"], ["sessions", "first"], ["tools", "rum-and-cola"]], ids=" ".join
)
def test_nothing_is_suggested_that_is_not_near(asst: Asst, arguments: list[str]) -> None:
    """A word of its own is not a slip; the help is named instead."""
    ran = asst(*arguments)
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (2, "", 1)
    assert "Did you mean" not in ran.err
    assert "--help" in ran.err


def test_ask_and_chat_share_their_options(asst: Asst) -> None:
    """Every option of chat is one of ask, with the same words, but for what only a chat has: a picker and a toolbar."""
    _, _, ask = asst("ask", "-h").out.partition("Options:\n")
    _, _, chat = asst("chat", "-h").out.partition("Options:\n")
    rows = [row for row in chat.splitlines() if row.lstrip().startswith("-")]
    assert len(rows) > 15
    own = [re.findall(r"--[a-z-]+", row)[0] for row in rows if row not in ask.splitlines()]
    assert own == ["--resume", "--no-toolbar"]
