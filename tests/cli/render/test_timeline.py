"""The states of an exchange, and the time spent in each."""

from __future__ import annotations

import io

import pytest
from rich.text import Text

from asstproxy.cli.render.timeline import StatesPath, Timeline, rows_of
from asstproxy.core.events import (
    AssistantMessageRetrieved,
    ChunkReceived,
    Event,
    Heartbeat,
    Notice,
    SetUserMessage,
    Started,
)
from asstproxy.text.figures import seconds_between

from .screen import Script, printed

EXCHANGE: list[Event | float] = [SetUserMessage("hi"), 0.002, Started("gpt"), 0.31, Heartbeat(), 1.0, Heartbeat(), 1.5]
EXCHANGE += [ChunkReceived("a"), 0.2, Notice("n"), ChunkReceived("b"), 1.0, AssistantMessageRetrieved("ab")]


def timeline(parts: list[Event | float]) -> Timeline:
    first, *others = Script().play(parts)
    folded = Timeline(first)
    for record in others:
        folded.fold(record)
    return folded


def path(columns: int, output_tokens: int = 0, parts: list[Event | float] = EXCHANGE) -> list[str]:
    console = printed(columns)
    console.print(StatesPath(timeline(parts), output_tokens))
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
    assert folded.steps(0.3)[-1].plain == "streaming 500 ms"


@pytest.mark.parametrize(("earlier", "later"), [("", ""), ("yesterday", "2026-11-22T19:45:00Z")])
def test_unreadable_times(earlier: str, later: str) -> None:
    """A damaged time costs its figure and nothing else."""
    assert seconds_between(earlier, later) == 0


def test_a_clock_that_was_set_back() -> None:
    """No time is negative."""
    assert seconds_between("2026-11-22T19:45:01.000Z", "2026-11-22T19:45:00.000Z") == 0


def test_the_path() -> None:
    """Every state with its time, in rows that break at an arrow, and the speed where there is room."""
    states = "ready 2 ms ▸ started 310 ms ▸ running 2.5 s ▸ streaming 1.2 s ▸ completed"
    assert path(120, 1087) == [f"{states} · 271 tokens/s"]
    assert path(80, 1087) == [states]
    assert path(40, 1087) == [
        "ready 2 ms ▸ started 310 ms",
        "▸ running 2.5 s ▸ streaming 1.2 s",
        "▸ completed · 271 tokens/s",
    ]


def test_no_speed_without_time() -> None:
    """An answer that took no time has no tokens per second."""
    parts: list[Event | float] = [SetUserMessage("hi"), Started("gpt"), AssistantMessageRetrieved("a")]
    assert path(80, 5, parts) == ["ready 0 ms ▸ started 0 ms ▸ completed"]


def test_a_long_way_keeps_its_end() -> None:
    """Of an exchange with many tool rounds the last three rows are shown."""
    rows = [row.plain for row in rows_of([Text(f"state{n} 1ms") for n in range(100)], 40)]
    assert len(rows) == 3
    assert rows[0].startswith("… ▸ state")
    assert rows[-1].endswith("state99 1ms")
    assert all(len(row) <= 42 for row in rows)
