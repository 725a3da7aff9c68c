"""The progress of a batch: measured while it runs, shown, and written for `asst batch status`."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import msgspec

from ...batches.journal import folder_of
from ...batches.ledger import Ledger, Status
from ...batches.pace import Pace
from ...batches.runner import Progress
from ...config.atomic import write_atomically
from .snapshot import PROGRESS, Snapshot, Used, last_snapshot
from .views import View

__all__ = ["Reported", "Reporter"]

DRAWN, WRITTEN = 0.25, 1.0
"""Seconds between two looks at a batch that are shown, and that are written to its file."""
LATELY = 30.0
"""Seconds over which items per second are counted."""


class Reported(Protocol):
    """A batch that a `Reporter` reports on."""

    out: Path
    limit: int | None

    @property
    def ledger(self) -> Ledger:
        """Where each item stands."""

    @property
    def progress(self) -> Progress:
        """The counts of this run."""

    @property
    def pace(self) -> Pace | None:
        """What may pause it."""


class Reporter:
    """Reports on a running batch, from `start` to `close`. `max_cost`: what the run may cost; `clock` gives seconds."""

    def __init__(
        self,
        batch: Reported,
        view: View | None,
        *,
        max_cost: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._batch, self._view, self._max_cost, self._clock = batch, view, max_cost, clock
        self._file = folder_of(batch.out) / PROGRESS
        self._began, self._settled_before, self._written = clock(), 0, -WRITTEN
        self._lately: deque[tuple[float, int]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._earlier = Used()

    def start(self) -> None:
        """Begin: the batch is about to ask."""
        self._earlier = last_snapshot(self._file.parent).used()
        self._began, self._settled_before = self._clock(), self._settled()
        self._task = asyncio.get_running_loop().create_task(self._report())

    def _settled(self) -> int:
        ledger = self._batch.ledger
        return ledger.count(Status.DONE) + ledger.count(Status.FAILED)

    def snapshot(self) -> Snapshot:
        """How far it is."""
        ledger, progress, now = self._batch.ledger, self._batch.progress, self._clock()
        settled = self._settled() - self._settled_before
        rate, waiting = self._rate(now, settled), ledger.count(Status.WAITING)
        if self._batch.limit is not None:
            waiting = min(waiting, max(self._batch.limit - settled, 0))
        pace = self._batch.pace
        pause, limit = (pace.pause, pace.window_pause) if pace is not None else (0.0, 0.0)
        return Snapshot(
            items=len(ledger),
            done=ledger.count(Status.DONE),
            failed=ledger.count(Status.FAILED),
            in_flight=progress.in_flight,
            per_second=round(rate, 2),
            input_tokens=progress.input_tokens,
            output_tokens=progress.output_tokens,
            cost=progress.cost if progress.is_cost_known else None,
            seconds=round(now - self._began, 1),
            left=round(max(waiting / rate, pause), 1) if rate and waiting else None,
            max_cost=self._max_cost,
            paused=round(pause or limit, 1),
            is_refused=pause > 0,
            sent=ledger.count(Status.SENT),
            earlier=self._earlier,
        )

    def _rate(self, now: float, settled: int) -> float:
        """Items per second, of late."""
        lately = self._lately
        lately.append((now, settled))
        while now - lately[0][0] > LATELY:
            lately.popleft()
        began, before = lately[0] if now - self._began > LATELY else (self._began, 0)
        return (settled - before) / (now - began) if now > began else 0.0

    async def _report(self) -> None:
        while True:
            snapshot = self.snapshot()
            if self._view is not None:
                self._view.show(snapshot)
            if self._clock() - self._written >= WRITTEN:
                self._written = self._clock()
                await asyncio.to_thread(self._write, snapshot)
            await asyncio.sleep(DRAWN)

    def _write(self, snapshot: Snapshot) -> None:
        asked = snapshot.in_flight or snapshot.input_tokens or snapshot.sent or self._settled() != self._settled_before
        if not asked and self._file.exists():
            return  # a run that asks nothing leaves the figures of the one before
        with suppress(OSError):  # a full disk stops the batch where it matters
            write_atomically(self._file, msgspec.json.encode(snapshot), single_writer=True)

    async def close(self) -> None:
        """Report the end."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
            self._write(self.snapshot())
        if self._view is not None:
            self._view.close()
