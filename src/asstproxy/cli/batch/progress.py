"""The progress of a batch: a bar in a terminal, a line every ten seconds in a log, a file for `asst batch status`."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TextIO

import msgspec

from ...batches.journal import folder_of
from ...batches.ledger import Ledger, Status
from ...batches.runner import Progress
from ...config.atomic import write_atomically
from ...core.money import dollars
from ...text.figures import duration

if TYPE_CHECKING:
    from rich.progress import TaskID

__all__ = ["PROGRESS", "Reporter", "Snapshot", "line_of", "view"]

PROGRESS = "progress.json"
"""In the folder of a batch: a `Snapshot`, some moments old while it runs."""
EVERY = 1.0
LOGGED = 10.0
"""Seconds between two lines in a log."""


class Snapshot(msgspec.Struct, frozen=True):
    """How far a batch is. Tokens, `cost` (US dollars) and `seconds` are of one run; `left` is in seconds, None if unknown.

    `sent`: items in a batch at their provider.
    """

    items: int
    done: int
    failed: int
    in_flight: int
    per_second: float = 0.0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float | None = None
    seconds: float = 0.0
    left: float | None = None
    sent: int = 0


class Reported(Protocol):
    """A batch that a `Reporter` reports on."""

    @property
    def out(self) -> Path:
        """The file with the results."""

    @property
    def ledger(self) -> Ledger:
        """Where each item stands."""

    @property
    def progress(self) -> Progress:
        """The counts of this run."""


class View(Protocol):
    """Shows snapshots."""

    def show(self, snapshot: Snapshot) -> None:
        """Show one."""

    def close(self) -> None:
        """End it."""


def view(stream: TextIO, *, logged: float = LOGGED) -> View:
    """A bar in a terminal, elsewhere a line every `logged` seconds."""
    return _Bar() if stream.isatty() else _Log(stream, logged)


def line_of(snapshot: Snapshot) -> str:
    """A snapshot in one line."""
    parts = [f"{snapshot.done:,} of {snapshot.items:,} done"]
    if snapshot.failed:
        parts.append(f"{snapshot.failed:,} failed")
    if snapshot.in_flight:
        parts.append(f"{snapshot.in_flight} in flight")
    if snapshot.sent:
        parts.append(f"{snapshot.sent:,} in a batch at the provider")
    if snapshot.per_second:
        parts.append(f"{snapshot.per_second:.3g}/s")
    if tokens := snapshot.input_tokens + snapshot.output_tokens:
        parts.append(f"{tokens:,} tokens")
    if snapshot.cost:
        parts.append(dollars(snapshot.cost))
    if snapshot.left is not None:
        parts.append(f"{duration(snapshot.left)} left")
    return " · ".join(parts)


class Reporter:
    """Reports on a running batch, from `start` to `close`."""

    def __init__(self, batch: Reported, view: View | None) -> None:
        self._batch, self._view = batch, view
        self._file = folder_of(batch.out) / PROGRESS
        self._began, self._settled_before = time.monotonic(), 0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin: the batch is about to ask."""
        self._settled_before = self._settled()
        self._task = asyncio.get_running_loop().create_task(self._report())

    def _settled(self) -> int:
        ledger = self._batch.ledger
        return ledger.count(Status.DONE) + ledger.count(Status.FAILED)

    def snapshot(self) -> Snapshot:
        """How far it is."""
        ledger, progress = self._batch.ledger, self._batch.progress
        seconds = time.monotonic() - self._began
        settled = self._settled() - self._settled_before
        rate = settled / seconds if seconds and settled else 0.0
        waiting = ledger.count(Status.WAITING)
        return Snapshot(
            items=len(ledger),
            done=ledger.count(Status.DONE),
            failed=ledger.count(Status.FAILED),
            in_flight=progress.in_flight,
            per_second=round(rate, 2),
            input_tokens=progress.input_tokens,
            output_tokens=progress.output_tokens,
            cost=progress.cost if progress.is_cost_known else None,
            seconds=round(seconds, 1),
            left=round(waiting / rate, 1) if rate and waiting else None,
            sent=ledger.count(Status.SENT),
        )

    async def _report(self) -> None:
        while True:
            self._write()
            await asyncio.sleep(EVERY)

    def _write(self) -> None:
        snapshot = self.snapshot()
        with suppress(OSError):  # a full disk stops the batch where it matters
            write_atomically(self._file, msgspec.json.encode(snapshot), single_writer=True)
        if self._view is not None:
            self._view.show(snapshot)

    def close(self) -> None:
        """Report the end."""
        if self._task is not None:
            self._task.cancel()
            self._write()
        if self._view is not None:
            self._view.close()


class _Log:
    def __init__(self, stream: TextIO, every: float) -> None:
        self._stream, self._every, self._last = stream, every, time.monotonic()

    def show(self, snapshot: Snapshot) -> None:
        """Write a line, if the last one is old enough."""
        if time.monotonic() - self._last >= self._every:
            self._last = time.monotonic()
            self._stream.write(f"{line_of(snapshot)}\n")
            self._stream.flush()

    def close(self) -> None:
        """Nothing more to say: the command writes how it ended."""


class _Bar:
    def __init__(self) -> None:
        self._progress: Any = None
        self._task: TaskID | None = None

    def show(self, snapshot: Snapshot) -> None:
        """Move the bar."""
        if self._progress is None:
            from rich.progress import BarColumn, TextColumn
            from rich.progress import Progress as Bar

            from ..render.theme import console

            self._progress = Bar(
                BarColumn(bar_width=20), TextColumn("{task.description}"), console=console(stderr=True), transient=True
            )
            self._progress.start()
            self._task = self._progress.add_task("", total=snapshot.items)
        self._progress.update(
            self._task, completed=snapshot.done + snapshot.failed, description=line_of(snapshot), refresh=True
        )

    def close(self) -> None:
        """Take it from the screen."""
        if self._progress is not None:
            self._progress.stop()
