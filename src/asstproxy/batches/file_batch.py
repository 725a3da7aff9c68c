"""A batch from a file into a file: it can be stopped at any moment, and goes on where it was."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ..core.errors import UsageError
from ..core.resume import can_attach
from ..core.script import SETTLED, STEPS, State
from .asked import Asked
from .item import Item
from .journal import (
    AGAIN,
    Attempt,
    BatchJournal,
    folder_of,
    mark_at,
    open_journal,
    records_at,
)
from .ledger import Ledger, Status
from .output import Output, OutputForm
from .pace import Pace
from .past import Left, load_past, require_same, status_of
from .reading import BrokenItemError, Input
from .result import result_of
from .runner import Ended, Job, Progress, Runner, disk_failure

__all__ = ["FileBatch", "accept", "refuse_foreign"]

PIECE = 1024
"""Items after which others get their turn, while none is asked."""


def accept(
    source: Input, skip: Callable[[BrokenItemError], None] | None = None, *, turn: Callable[[], None] = lambda: None
) -> Ledger:
    """Read the whole input once, so that nothing is asked if it has an error. `turn` is called again and again; it may raise.

    Raises:
        UsageError: a line can't be asked (and no `skip` takes it), or an id occurs twice; or the input has no items.
    """
    ledger = Ledger()
    for item in source.items(skip):
        if not len(ledger) % PIECE:
            turn()
        try:
            ledger.accept(item)
        except UsageError as error:
            raise UsageError(f"{source.name}, {error}", error.hint) from None
    if not len(ledger):
        raise UsageError(f"{source.name} has no items.", "Write one item on each line.")
    return ledger


def refuse_foreign(out: Path) -> None:
    """Check that nothing else wrote a file, before it is overwritten.

    Raises:
        UsageError: it has content, and no batch wrote it.
    """
    if folder_of(out).exists():
        return
    if out.is_dir() or not out.parent.is_dir():
        raise UsageError(f"{out} can't be written.", "Choose a file in a folder that exists.")
    if out.exists() and (not out.is_file() or out.stat().st_size):
        raise UsageError(f"{out} exists already, and no batch wrote it.", "Choose another output file.")


@dataclass(slots=True)
class FileBatch:
    """One run over the items of `source`, whose results go to `out`.

    `limit`: how many items to ask at most. `retry_failed`: ask those again that failed, who may be asked in another way then.
    `asked`: who is asked, and how; else that is not compared with the first run.
    """

    source: Input
    ledger: Ledger
    out: Path
    runner: Runner
    form: OutputForm = "asst"
    ordered: bool = False
    retry_failed: bool = False
    limit: int | None = None
    asked: Asked | None = None
    opened: Callable[[], None] = lambda: None
    _output: Output | None = None
    _left: dict[int, Left] = field(default_factory=dict)  # by item
    _dirty: asyncio.Event = field(default_factory=asyncio.Event)
    _is_over: bool = False

    @property
    def progress(self) -> Progress:
        """The counts of this run."""
        return self.runner.progress

    @property
    def pace(self) -> Pace:
        """What may pause it."""
        return self.runner.pace

    async def run(self) -> None:
        """Ask what is to be asked.

        Raises:
            UsageError: the output belongs to another input, or an item has changed since it was asked; nothing is sent.
            SessionInUseError: another process works on this batch.
            OSError: a file can't be written; what was written is whole.
        """
        refuse_foreign(self.out)
        self.runner.assistant()
        journal = open_journal(self.out, self.form, self.asked)
        try:
            require_same(journal.head, self.out, self.form, self.asked, retry_failed=self.retry_failed)
            past = load_past(journal, self.ledger, self.out, self.source.name, retry_failed=self.retry_failed)
            self._left = past.left
            if self.ordered and self.ledger.count(Status.SENT):
                raise UsageError(
                    f"Items of {self.out} are in a batch at the provider, so the others can't be written in order.",
                    "Collect them first.",
                    code="batch_sent",
                    data={"out": str(self.out)},
                )
            output = self._output = Output(self.out, self.form, self.ledger, ordered=self.ordered)
            try:
                if self.retry_failed:
                    output.reopen_failed(self.limit)
                await self._work(journal, output)
            finally:
                output.close()
        finally:
            journal.close()
            await self.runner.aclose()

    async def _work(self, journal: BatchJournal, output: Output) -> None:
        self.opened()
        if not self.ordered:
            await self._write_settled(journal, output)
        committing = asyncio.create_task(self._commit(journal, output))
        try:
            await self.runner.run(self._jobs(journal, output), self._ended)
        finally:
            self._is_over = True
            self._dirty.set()
            await committing

    # ---- what earlier runs left ----------------------------------------------------------------------------------------

    async def _write_settled(self, journal: BatchJournal, output: Output) -> None:
        """Write the lines that an earlier run didn't get to."""
        for count, number in enumerate(self.ledger.not_written(), 1):
            self._add_from_journal(journal, output, number, self.ledger.begin_of(number))
            if not count % PIECE:
                output.write(output.take())
                await asyncio.sleep(0)
        output.write(output.take())

    def _add_from_journal(self, journal: BatchJournal, output: Output, number: int, begin: int) -> None:
        mark = mark_at(journal.path, begin)
        if mark.begin is not None:
            records = records_at(journal.path, mark.attempt, begin)
            output.add(number, result_of(mark.begin.id, records, self.runner.prices))

    # ---- the items -----------------------------------------------------------------------------------------------------

    async def _jobs(self, journal: BatchJournal, output: Output) -> AsyncGenerator[Job]:
        """The items that are to be asked, read from the input as they are needed."""
        ledger, asked, count = self.ledger, 0, 0
        for number, item in enumerate(self.source.items(lambda _: None)):
            count = number + 1
            if number >= len(ledger) or ledger.body(number) != item.body:
                raise UsageError(
                    f"{self.source.name} was changed while it was read, in line {item.line}.", "Try again."
                )
            if not count % PIECE:
                await asyncio.sleep(0)
            job: Job | None = None
            if ledger.status(number) is Status.WAITING:
                if self.limit is not None and asked >= self.limit:
                    return
                await output.room_for(number)
                if number in self._left:
                    job = self._left_job(journal, output, number, item)
            elif self.ordered and not ledger.is_written(number):
                await output.room_for(number)
                self._add_from_journal(journal, output, number, ledger.begin_of(number))
                self._dirty.set()
            if ledger.status(number) is Status.WAITING:
                asked += 1
                yield job or Job(item, number, journal.begin(item.id, item.body))
        if count < len(ledger):
            raise UsageError(f"{self.source.name} was shortened while it was read.", "Try again.")

    def _left_job(self, journal: BatchJournal, output: Output, number: int, item: Item) -> Job | None:
        """The job of an item that was in flight when its process died, if it can be taken up at the provider."""
        left = self._left.pop(number)
        sink = journal.resume(left.attempt, left.begin)
        last = next((record for record in reversed(left.records) if record.event.type in STEPS), None)
        if last is not None and last.state in SETTLED and len(left.records) > 1:
            self._settle(sink, number, last.state)
            self._add_from_journal(journal, output, number, left.begin)
            return None
        if can_attach(self.runner.assistant(), left.records):
            return Job(item, number, sink, left.records)
        sink.end(AGAIN)
        return None

    def _settle(self, sink: Attempt, number: int, state: State) -> None:
        sink.end(state.value)
        self.ledger.settle(number, status_of(state.value), sink.begin)
        self._dirty.set()

    def _ended(self, ended: Ended) -> None:
        job, result = ended.job, ended.result
        assert isinstance(job.sink, Attempt)  # noqa: S101 - `_jobs` made it
        assert self._output is not None  # noqa: S101 - it is open while items are asked
        if result is None:
            with suppress(OSError):  # the journal may be the cause: then the item is still in flight
                job.sink.end(AGAIN)
            return
        self._settle(job.sink, job.number, result.state)
        self._output.add(job.number, result)

    async def _commit(self, journal: BatchJournal, output: Output) -> None:
        """Make the journal last, then write the lines of what settled before: group after group."""
        while not self._is_over or output.has_lines or self._dirty.is_set():
            await self._dirty.wait()
            self._dirty.clear()
            lines = output.take()
            try:
                journal.write()
                await asyncio.to_thread(journal.sync)
                output.write(lines)
            except OSError as error:
                error.filename = error.filename or str(journal.path)
                self.runner.stop(disk_failure(error), now=True)
                return
