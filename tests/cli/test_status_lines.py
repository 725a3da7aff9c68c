"""Notices of a provider on stderr: when they are shown, and which."""

from __future__ import annotations

import pytest

from asstproxy.cli.status_lines import NoticeLines
from asstproxy.core.events import AssistantMessageRetrieved, ChunkReceived, Event, Notice, SetUserMessage, Started

from .render.screen import Script


def shown(*events: Event, late: bool = False, quiet: bool = False) -> list[tuple[str, int]]:
    """The notices that are shown, each with the number of events before it."""
    lines: list[tuple[str, int]] = []
    count = 0

    def show(text: str) -> None:
        lines.append((text, count))

    view = NoticeLines(show, late=late, quiet=quiet)
    for record in Script().play([SetUserMessage("hi"), Started("gpt"), *events]):
        count += 1
        view(record)
    return lines


ANSWER = (ChunkReceived("a"), Notice("n"), ChunkReceived("b"), AssistantMessageRetrieved("ab"))


def test_at_once() -> None:
    """In a pipe, a notice is shown when it comes."""
    assert shown(*ANSWER) == [("n", 4)]


def test_late() -> None:
    """On a terminal it follows the answer, whose line it would tear."""
    assert shown(*ANSWER, late=True) == [("n", 6)]


@pytest.mark.parametrize(("text", "expected"), [("ab", []), ("", [("n", 4)]), (" \n", [("n", 4)])])
def test_quiet(text: str, expected: list[tuple[str, int]]) -> None:
    """With --quiet only where the answer has no text: a notice is all there is then."""
    assert shown(Notice("n"), AssistantMessageRetrieved(text), quiet=True) == expected
