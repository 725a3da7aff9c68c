"""The book of jobs: what the provider has of a batch, and how each item of it stands; it is kept in the journal."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from msgspec.structs import replace

from ..core.events import Record
from .jobs import Job, Packed, job_line
from .journal import Attempt, BatchJournal, mark_at, records_at
from .ledger import Ledger, Status
from .output import Output
from .past import Past, status_of
from .result import Prices, result_of
from .runner import Progress

__all__ = ["GROUP", "JobBook"]

GROUP = 500
"""Results that are made to last together."""


@dataclass(slots=True)
class JobBook:
    """The open journal and output of a batch, with its jobs. `say` shows a line to the person."""

    journal: BatchJournal
    output: Output
    ledger: Ledger
    past: Past
    prices: Prices | None
    progress: Progress
    say: Callable[[str], None]
    ordered: bool = False

    @property
    def open_jobs(self) -> list[Job]:
        """The batches that the provider has, or may have."""
        return [job for job in self.past.jobs.values() if job.is_open]

    @property
    def next_job(self) -> int:
        """The number of the next job."""
        return max(self.past.jobs, default=0) + 1

    def packed(self, job: Job) -> Packed:
        """The attempts of an open job."""
        return self.past.packed.setdefault(job.job, Packed())

    async def save(self, job: Job) -> None:
        """Make it last how a job stands.

        Raises:
            OSError: the journal can't be written.
        """
        self.past.jobs[job.job] = job
        self.journal.append(job_line(job))
        await self._make_last()
        if not job.is_open:
            self.past.packed.pop(job.job, None)

    async def drop(self, job: Job) -> None:
        """Forget a batch that the provider doesn't have: its items wait again.

        Raises:
            OSError: the journal can't be written.
        """
        numbers = self.packed(job).numbers
        await self.save(replace(job, state="dropped"))
        for number in numbers:
            if self.ledger.status(number) is Status.SENT:
                self.ledger.settle(number, Status.WAITING, 0)

    def reopen_unsent(self) -> None:
        """Let items wait again that were packed and not sent."""
        sent = bytearray(len(self.ledger))
        for job in self.open_jobs:
            for number in self.packed(job).numbers:
                sent[number] = 1
        for number in range(len(self.ledger)):
            if self.ledger.status(number) is Status.SENT and not sent[number]:
                self.ledger.settle(number, Status.WAITING, 0)

    def settle(self, attempt: Attempt, number: int, item: str, records: list[Record]) -> None:
        """An item has settled in this attempt, whose records these are.

        Raises:
            OSError: the journal can't be written.
        """
        state = records[-1].state
        attempt.end(state.value)
        result = result_of(item, records, self.prices)
        self.ledger.settle(number, status_of(state.value), attempt.begin)
        self.progress.add(result)
        if not self.ordered:
            self.output.add(number, result)

    async def commit(self) -> None:
        """Make the journal last, then write the lines of what has settled.

        Raises:
            OSError: a file can't be written; the output has whole lines only.
        """
        await self._make_last()
        if self.ordered:
            self.write_settled()
        else:
            self.output.write(self.output.take())

    def write_settled(self) -> None:
        """Write the lines of items that have settled, from the journal; in an ordered output, up to the first that has not.

        Raises:
            OSError: the output can't be written; it has whole lines only.
        """
        for number in range(len(self.ledger)):
            if self.ledger.is_written(number):
                continue
            if self.ledger.status(number) not in (Status.DONE, Status.FAILED):
                if self.ordered:
                    break
                continue
            begin = self.ledger.begin_of(number)
            mark = mark_at(self.journal.path, begin)
            if mark.begin is not None:
                records = records_at(self.journal.path, mark.attempt, begin)
                self.output.add(number, result_of(mark.begin.id, records, self.prices))
            if not number % GROUP:
                self.output.write(self.output.take())
        self.output.write(self.output.take())

    async def _make_last(self) -> None:
        self.journal.write()
        await asyncio.to_thread(self.journal.sync)
