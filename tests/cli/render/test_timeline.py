"""The states of an exchange, and the time spent in each."""

from __future__ import annotations

import io

import pytest
from rich.text import Text

from asstproxy.cli.render.timeline import ClosingLine, Timeline, rows_of, seconds_between
from asstproxy.core.events import (
    AssistantMessageRetrieved,
    ChunkReceived,
    Event,
    Heartbeat,
    Notice,
    SetUserMessage,
    Started,
    Usage,
)

from .screen import Script, printed

EXCHANGE: list[Event | float] = [SetUserMessage("hi"), 0.002, Started("gpt"), 0.31, Heartbeat(), 1.0, Heartbeat(), 1.5]
EXCHANGE += [ChunkReceived("a"), 0.2, Notice("n"), ChunkReceived("b"), 1.0, AssistantMessageRetrieved("ab")]


def timeline(parts: list[Event | float]) -> Timeline:
    first, *others = Script().play(parts)
    folded = Timeline(first)
    for record in others:
        folded.fold(record)
    return folded


def closing(columns: int, usage: Usage | None = None, parts: list[Event | float] = EXCHANGE) -> list[str]:
    console = printed(columns)
    console.print(ClosingLine(timeline(parts), usage))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def test_times_come_from_the_records() -> None:
    """A repeated state counts once, notes change nothing, and the sum is the exchange's time."""
    folded = timeline(EXCHANGE)
    assert [(str(state), round(seconds, 3)) for state, seconds in folded.passed] == [
        ("ready", 0.002),
        ("started", 0.31),
        ("running", 2.5),
        ("streaming", 1.2),
    ]
    assert folded.total() == pytest.approx(4.012)
    assert folded.listening() == pytest.approx(4.01)


def test_the_current_state_counts_on() -> None:
    """Its time is that of the records plus the time since the last one."""
    folded = timeline(EXCHANGE[:-1])
    assert folded.steps(0.3)[-1].plain == "streaming 500ms"


@pytest.mark.parametrize(("earlier", "later"), [("", ""), ("yesterday", "2026-11-22T19:45:00Z")])
def test_unreadable_times(earlier: str, later: str) -> None:
    """A damaged time costs its figure and nothing else."""
    assert seconds_between(earlier, later) == 0


def test_a_clock_that_was_set_back() -> None:
    """No time is negative."""
    assert seconds_between("2026-11-22T19:45:01.000Z", "2026-11-22T19:45:00.000Z") == 0


def test_the_closing_line() -> None:
    """States, tokens, time and speed in one row where there is room, else the figures in a row of their own."""
    states = "ready 2ms ▸ started 310ms ▸ running 2.5s ▸ streaming 1.2s ▸ completed"
    figures = "12 → 1,087 tokens · 4.0 s · 271 tokens/s"
    assert closing(120, Usage(12, 1087)) == [f"{states} · {figures}"]
    assert closing(80, Usage(12, 1087)) == [states, figures]
    assert closing(80) == [f"{states} · 4.0 s"]
    assert closing(40, Usage(12, 1087)) == [
        "ready 2ms ▸ started 310ms ▸ running 2.5s",
        "▸ streaming 1.2s ▸ completed",
        figures,
    ]


def test_no_speed_without_time() -> None:
    """An answer that took no time has no tokens per second."""
    parts: list[Event | float] = [SetUserMessage("hi"), Started("gpt"), AssistantMessageRetrieved("a")]
    assert closing(80, Usage(1, 5), parts) == ["ready 0ms ▸ started 0ms ▸ completed · 1 → 5 tokens · 0 ms"]


def test_a_long_way_keeps_its_end() -> None:
    """Of an exchange with many tool rounds the last three rows are shown."""
    rows = [row.plain for row in rows_of([Text(f"state{n} 1ms") for n in range(100)], 40)]
    assert len(rows) == 3
    assert rows[0].startswith("… ▸ state")
    assert rows[-1].endswith("state99 1ms")
    assert all(len(row) <= 42 for row in rows)
