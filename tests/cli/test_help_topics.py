"""`asst help TOPIC`, `asst version`."""

from __future__ import annotations

import re

import pytest

from asstproxy import __version__
from asstproxy.cli import exit_codes
from asstproxy.cli.app import COMMANDS
from asstproxy.cli.help_topics import TOPICS, topic_text
from asstproxy.core.script import State

from .conftest import Asst


def test_help_lists_its_topics(asst: Asst) -> None:
    """Each with a line about it."""
    listed = asst("help")
    assert listed.code == 0
    for name, about in TOPICS.items():
        assert re.search(rf"^  {name} +{re.escape(about)}$", listed.out, re.MULTILINE)


@pytest.mark.parametrize("topic", TOPICS)
def test_a_topic_is_short_and_true(asst: Asst, topic: str) -> None:
    """It fits on a screen; every command and option that it names exists."""
    shown = asst("help", topic)
    assert shown.code == 0
    assert shown.out == topic_text(topic)
    lines = shown.out.splitlines()
    assert len(lines) <= 30
    if topic != "files":  # paths have their length
        assert max(map(len, lines)) <= 80
    for command, sub, options in re.findall(r"\basst ([a-z]+)((?: [a-z]+)?)((?: -{1,2}[a-z]+)*)", shown.out):
        assert command in COMMANDS, command
        inner = [sub.strip()] if command in {"setup", "sessions", "tools"} and sub else []
        usage = asst(command, *inner, "-h")
        assert usage.code == 0, (command, sub)
        for option in options.split():
            assert re.search(rf"(?<![\w-]){option}(?![\w-])", usage.out), (command, option)


def test_words_of_a_topic(asst: Asst) -> None:
    """Several words name a topic; a command has its options; what is unknown is corrected."""
    assert asst("help", "exit", "codes").out == topic_text("exit-codes")
    assert asst("help", "replay").out.startswith("Usage: asst replay")
    wrong = asst("help", "sesions")
    assert (wrong.code, wrong.err) == (2, 'asst: No help on "sesions". Try: asst help sessions\n')


def test_exit_codes_are_complete() -> None:
    """The topic has every code of the table."""
    codes = {value for name in exit_codes.__all__ if isinstance(value := getattr(exit_codes, name), int)}
    assert {int(line.split()[0]) for line in topic_text("exit-codes").splitlines()} == codes


def test_script_has_every_state() -> None:
    """The topic explains each state of the script."""
    assert all(re.search(rf"\b{state}\b", topic_text("script")) for state in State)


def test_version(asst: Asst) -> None:
    """`asst version` is `asst --version`."""
    assert asst("version").out == asst("--version").out == f"asst {__version__}\n"
