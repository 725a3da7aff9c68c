"""The line that remains of an exchange."""

from __future__ import annotations

import io

import pytest

from asstproxy.cli.render.closing_line import ClosingLine
from asstproxy.cli.render.detail import Detail
from asstproxy.cli.render.print_conversation import print_conversation
from asstproxy.core.events import (
    ActionRequired,
    AssistantMessageRetrieved,
    Cancelled,
    ChunkReceived,
    Configured,
    ErrorOccurred,
    Event,
    MessageIncomplete,
    RetryScheduled,
    SetUserMessage,
    Started,
    ToolCall,
    ToolFinished,
    ToolOutputsSubmitted,
    ToolResult,
    ToolsExecuted,
    ToolStarted,
    Usage,
)
from asstproxy.store.transcript import ExchangeEntry
from asstproxy.text.closing import Closing

from .screen import Script, printed

WHOLE = ClosingLine(Closing("completed", 7.5, (10, 4096), cost="$0.041", tools=2))


def rows(columns: int, line: ClosingLine) -> list[str]:
    console = printed(columns)
    console.print(line)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


@pytest.mark.parametrize(
    ("columns", "row"),
    [
        (80, "completed · 7.5 s · 10 → 4,096 tokens · $0.041 · 2 tools"),
        (50, "completed · 7.5 s · 10 → 4,096 tokens · 2 tools"),
        (40, "completed · 7.5 s · 10 → 4,096 tokens"),
        (20, "completed · 7.5 s"),
        (8, "complet…"),
    ],
)
def test_it_fits(columns: int, row: str) -> None:
    """One row at any width: cost goes first, then tools, then tokens."""
    assert rows(columns, WHOLE) == [row]


def last_rows(parts: list[Event | float], detail: Detail, count: int) -> list[str]:
    console = printed(80)
    print_conversation(Script().play(parts), console, detail)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()[-count:]


BEGUN: list[Event | float] = [Configured(profile="gpt"), SetUserMessage("hi"), Started("openai", "m"), 1.0]


def test_stopped() -> None:
    """What was saved, and the command that asks again."""
    parts = [*BEGUN, ChunkReceived("par"), Cancelled()]
    line = "cancelled · 1.0 s · you stopped it · the part above is saved · /retry"
    assert last_rows(parts, Detail(again="/retry"), 1) == [line]
    assert last_rows([*BEGUN, Cancelled()], Detail(), 1) == ["cancelled · 1.0 s · you stopped it"]


def test_failed() -> None:
    """How often it was tried; the error and what to do stand above it."""
    retry = RetryScheduled(1, 2.0, "rate_limit", "OpenAI is busy (429).", 3)
    parts = [*BEGUN, retry, 2.0, RetryScheduled(2, 2.0, "rate_limit", "OpenAI is busy (429).", 3), 2.0]
    parts.append(ErrorOccurred("rate_limit", "OpenAI is busy (429).", "Wait a minute."))
    detail = Detail(hint=lambda _: "Try again: /retry")
    assert last_rows(parts, detail, 3) == [
        "Error: OpenAI is busy (429).",
        "  Wait a minute. Try again: /retry",
        "error · 5.0 s · 3 tries",
    ]


def test_retries_that_helped_are_one_line_that_counts() -> None:
    """How many tries, why, and how much time was lost; nothing of a retry that cost less than a second."""
    slow = RetryScheduled(1, 2.0, "rate_limit", "OpenAI is busy (429).", 4)
    answer = [ChunkReceived("Yes."), AssistantMessageRetrieved("Yes.")]
    parts = [*BEGUN, slow, 2.1, RetryScheduled(2, 1.0, "rate_limit", "OpenAI is busy (429).", 4), 1.0, *answer]
    console = printed(80)
    print_conversation(Script().play(parts), console)
    assert isinstance(console.file, io.StringIO)
    lines = [line for line in console.file.getvalue().splitlines() if "OpenAI" in line]
    assert lines == ["Tried 3 times: OpenAI is busy (429) · 4.1 s lost"]
    quick = [*BEGUN[:-1], RetryScheduled(1, 0.2, "rate_limit", "OpenAI is busy (429).", 4), 0.2, *answer]
    console = printed(80)
    print_conversation(Script().play(quick), console)
    assert isinstance(console.file, io.StringIO)
    assert "OpenAI" not in console.file.getvalue()


def test_cut_short() -> None:
    """The reason and what to do stand above it."""
    parts = [*BEGUN, ChunkReceived("par"), Usage(3, 4), MessageIncomplete("par", "max_output_tokens")]
    assert last_rows(parts, Detail(), 2) == [
        "Cut short: the answer reached its length limit.",
        "incomplete · 1.0 s · 3 → 4 tokens",
    ]


def test_the_price_is_asked_for_once_the_exchange_has_settled() -> None:
    """With its profile, model, tokens and tools."""
    asked: list[ExchangeEntry] = []

    def cost(entry: ExchangeEntry) -> str:
        asked.append(entry)
        return "$0.0002"

    call = ToolCall("1", "f", "{}")
    result = ToolResult("1", "x")
    parts = [*BEGUN, ActionRequired((call,)), ToolStarted("1", "f", "{}"), ToolFinished(result, 0.1)]
    parts += [ToolsExecuted((result,)), ToolOutputsSubmitted(), Usage(10, 14), AssistantMessageRetrieved("Yes.")]
    assert last_rows(parts, Detail(cost=cost), 1) == ["completed · 1.0 s · 10 → 14 tokens · $0.0002 · 1 tool"]
    (entry,) = asked
    assert (entry.model, entry.usage.input, len(entry.tools)) == ("m", 10, 1)


def test_the_path_is_drawn_when_it_is_asked_for() -> None:
    """Above the closing line, and only then."""
    parts = [*BEGUN, ChunkReceived("Yes."), AssistantMessageRetrieved("Yes.")]
    path = "ready 0 ms ▸ started 1.0 s ▸ streaming 0 ms ▸ completed"
    assert last_rows(parts, Detail(states=True), 2) == [path, "completed · 1.0 s"]
    assert path not in last_rows(parts, Detail(), 9)
