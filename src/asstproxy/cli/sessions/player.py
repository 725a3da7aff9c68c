"""`asst replay`: the records of a session, played into the views of `ask` and `chat`, or driven through a fresh mediator."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...config.paths import refuse_device
from ...core.codec import encode, to_unix_time
from ...core.errors import UsageError
from ...core.events import Record, SetUserMessage
from ...core.mediator import conform
from ...store.imports import records_of_file
from ...store.recovery import read_journal
from ...store.store import Store
from ...text.safe_text import clean_line
from .batch_item import item_records
from .show import records_of

__all__ = ["Pace", "check_session", "play_session", "print_steps"]

_LONGEST_PAUSE = 1.0
"""Seconds between two steps at most, however long the recorded pause was."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How to play: the speed (1: as recorded), whether to wait for a key before each step, the first step to play."""

    factor: float = 1.0
    step: bool = False
    first: int = 1

    @classmethod
    def parse(cls, speed: str, *, step: bool, first: int) -> Pace:
        """The pace for a `--speed` as typed.

        Raises:
            UsageError: the speed is not a positive number or `max`.
        """
        try:
            factor = float("inf") if speed == "max" else float(speed)
        except ValueError:
            factor = 0.0
        if not factor > 0:
            raise UsageError(f'"{speed}" is not a speed.', "Use a number greater than 0, or max.")
        return cls(factor, step, first)

    def pause(self, before: Record, record: Record) -> float:
        """Seconds between two records; 0 if the clock was set back between them."""
        return min(max(to_unix_time(record.at) - to_unix_time(before.at), 0.0), _LONGEST_PAUSE) / self.factor


def _file(session: str) -> Path | None:
    if "#" in session:
        return None
    is_file = session.endswith((".jsonl", ".json")) or os.sep in session
    return refuse_device(Path(session)) if is_file else None


def _records(session: str) -> list[Record]:
    if file := _file(session):
        return records_of_file(file)
    if records := item_records(session):
        return records
    store = Store()
    return records_of(store, store.find(session) if session else store.newest())


def check_session(session: str) -> int:
    """Compare the recorded states with those of a fresh mediator: 0 if they agree, else 1, with the first difference."""
    file, store = _file(session), Store()
    damage: list[str] = []
    if of_item := item_records(session):
        records = of_item
    elif file is not None and file.suffix == ".json":
        records = records_of_file(file)
    else:
        found = "" if file else store.find(session) if session else store.newest()
        reading = read_journal(file) if file else store.journal(found)
        records, damage = reading.records, reading.damage
    difference = damage[0] if damage else next(conform(records), None)
    if difference is None:
        sys.stdout.write(f"All {len(records)} steps conform to the script.\n")
        return 0
    sys.stdout.write(f"{clean_line(difference)}\n")
    return 1


def print_steps(session: str, first: int) -> None:
    """Print the records from number `first` on as JSON lines."""
    for record in _records(session):
        if record.seq >= first:
            sys.stdout.write(encode(record).decode() + "\n")


async def play_session(session: str, pace: Pace) -> int:
    """Play a session; returns the exit code.

    Raises:
        UsageError: it has no step with the number that the pace begins with.
    """
    records = _records(session)
    if records and pace.first > records[-1].seq:
        raise UsageError(
            f"No step {pace.first}: the last one is step {records[-1].seq}.", "See them: asst replay --events"
        )
    context, played = _split(records, pace.first)
    if pace.step and sys.stdin.isatty() and sys.stdout.isatty():
        from .stepping import step_through

        return await step_through(context, played)
    async with _view() as view:
        for record in context:
            view(record)
        before = context[-1] if context else None
        for record in played:
            if pace.step:
                if not await _line_read():
                    return 0
            elif before is not None and (pause := pace.pause(before, record)):
                await asyncio.sleep(pause)
            view(record)
            before = record
    return 0


async def _line_read() -> bool:
    """Whether there was a line on stdin, which is not a terminal, that does not say to stop."""
    data = await asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.readline)
    return data.strip() not in (b"", b"q", b"\x04") or data == b"\n"


def _split(records: Sequence[Record], first: int) -> tuple[list[Record], list[Record]]:
    """What is drawn at once (the beginning of the exchange that record `first` belongs to), and what is played."""
    at = next((i for i, record in enumerate(records) if record.seq >= first), len(records))
    start = next((i for i in range(at, -1, -1) if i < len(records) and isinstance(records[i].event, SetUserMessage)), 0)
    start = 0 if first == 1 else start
    return list(records[start:at]), list(records[at:])


@contextlib.asynccontextmanager
async def _view() -> AsyncIterator[Callable[[Record], None]]:
    if not sys.stdout.isatty():
        from ..render.plain import PlainView

        yield PlainView(sys.stdout)
        return
    from ..render.live import LiveView
    from ..render.theme import console

    async with LiveView(console(), echo=True) as view:
        yield view
