"""A batch from a file into a file: it can be stopped at any moment, and goes on where it was."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ..core.errors import UsageError
from ..core.resume import can_attach
from ..core.script import SETTLED, STEPS, State
from .item import Item
from .journal import Attempt, BatchJournal, each_mark, folder_of, mark_at, open_journal, records_at
from .ledger import Ledger, Status
from .output import Output, OutputForm
from .reading import BrokenItemError, Input
from .result import result_of
from .runner import Ended, Job, Runner, Stop

__all__ = ["AGAIN", "FileBatch", "accept", "refuse_foreign"]

AGAIN = "again"
"""How an attempt ends whose item is to be asked once more."""


def accept(source: Input, skip: Callable[[BrokenItemError], None] | None = None) -> Ledger:
    """Read the whole input once, so that nothing is asked if it has an error.

    Raises:
        UsageError: a line can't be asked (and no `skip` takes it), or an id occurs twice; or the input has no items.
    """
    ledger = Ledger()
    for item in source.items(skip):
        try:
            ledger.accept(item)
        except UsageError as error:
            raise UsageError(f"{source.name}, {error}", error.hint) from None
    if not len(ledger):
        raise UsageError(f"{source.name} has no items.", "Write one item on each line.")
    return ledger


def refuse_foreign(out: Path) -> None:
    """Check that a file isn't something else's before it is written.

    Raises:
        UsageError: it has content, and no batch wrote it.
    """
    if folder_of(out).exists():
        return
    if out.is_dir() or not out.parent.is_dir():
        raise UsageError(f"{out} can't be written.", "Choose a file in a folder that exists: -o OUT.jsonl")
    if out.exists() and (not out.is_file() or out.stat().st_size):
        raise UsageError(f"{out} exists already, and no batch wrote it.", "Choose another output: -o OUT.jsonl")


@dataclass(slots=True)
class FileBatch:
    """One run over the items of `source`, whose results go to `out`.

    `limit`: how many items to ask at most. `retry_failed`: ask those again that failed.
    """

    source: Input
    ledger: Ledger
    out: Path
    runner: Runner
    form: OutputForm = "asst"
    ordered: bool = False
    retry_failed: bool = False
    limit: int | None = None
    opened: Callable[[], None] = lambda: None
    _journal: BatchJournal | None = None
    _output: Output | None = None
    _left: dict[int, tuple[int, int]] = field(default_factory=dict)  # attempts that a dead process left, by item
    _dirty: asyncio.Event = field(default_factory=asyncio.Event)
    _is_over: bool = False

    async def run(self) -> None:
        """Ask what is to be asked.

        Raises:
            UsageError: the output belongs to another input, or an item has changed since it was asked; nothing is sent.
            SessionInUseError: another process works on this batch.
            OSError: a file can't be written; what was written is whole.
        """
        refuse_foreign(self.out)
        self.runner.assistant()
        journal = self._journal = open_journal(self.out, self.form)
        try:
            if journal.head.form != self.form:
                raise UsageError(
                    f"{self.out} was begun with --format {journal.head.form}.", f"Add --format {journal.head.form}"
                )
            self._load(journal)
            output = self._output = Output(self.out, self.form, self.ledger, ordered=self.ordered)
            try:
                if self.retry_failed and self.ledger.count(Status.FAILED):
                    output.remove(lambda number: self.ledger.status(number) is Status.FAILED)
                    self.ledger.reopen_failed()
                await self._work(journal, output)
            finally:
                output.close()
        finally:
            journal.close()
            await self.runner.aclose()

    async def _work(self, journal: BatchJournal, output: Output) -> None:
        self.opened()
        committing = asyncio.create_task(self._commit(journal, output))
        try:
            self._write_settled(journal, output)
            self._dirty.set()
            await self.runner.run(self._jobs(journal, output), self._ended)
        finally:
            self._is_over = True
            self._dirty.set()
            await committing

    # ---- what earlier runs left ----------------------------------------------------------------------------------------

    def _load(self, journal: BatchJournal) -> None:
        """Note in the ledger what the journal says of each item."""
        ledger, running = self.ledger, dict[int, tuple[int, int]]()
        for mark in each_mark(journal.path):
            journal.attempts_known(mark.attempt)
            if mark.begin is not None:
                number = ledger.find(mark.begin.id)
                if number is None:
                    raise UsageError(
                        f'{self.out} belongs to another input: its item "{mark.begin.id}" isn\'t in {self.source.name}.',
                        "Choose another output: -o OUT.jsonl",
                    )
                if int(mark.begin.body, 16) != ledger.body(number):
                    raise UsageError(
                        f'The item "{mark.begin.id}" was asked with another text before.',
                        "Give it a new id, or choose another output: -o OUT.jsonl",
                    )
                running[mark.attempt] = (number, mark.at)
            elif (begun := running.pop(mark.attempt, None)) is not None and mark.end != AGAIN:
                ledger.settle(begun[0], _status(mark.end), begun[1])
        for attempt, (number, begin) in running.items():
            if ledger.status(number) is Status.WAITING:
                self._left[number] = (attempt, begin)

    def _write_settled(self, journal: BatchJournal, output: Output) -> None:
        """Write the lines that an earlier run did not come to."""
        for number in self.ledger.not_written():
            self._add_from_journal(journal, output, number, self.ledger.begin_of(number))

    def _add_from_journal(self, journal: BatchJournal, output: Output, number: int, begin: int) -> None:
        mark = mark_at(journal.path, begin)
        if mark.begin is not None:
            records = records_at(journal.path, mark.attempt, begin)
            output.add(number, result_of(mark.begin.id, records, self.runner.prices))

    # ---- the items -----------------------------------------------------------------------------------------------------

    async def _jobs(self, journal: BatchJournal, output: Output) -> AsyncIterator[Job]:
        """The items that are to be asked, read from the input as they are needed."""
        asked = 0
        for number, item in enumerate(self.source.items(lambda _: None)):
            if number >= len(self.ledger) or self.ledger.body(number) != item.body:
                raise UsageError(
                    f"{self.source.name} was changed while it was read, in line {item.line}.", "Run the command again."
                )
            if self.ledger.status(number) is not Status.WAITING:
                continue
            if self.limit is not None and asked >= self.limit:
                return
            await output.room_for(number)
            job = self._left_job(journal, output, number, item) if number in self._left else None
            if self.ledger.status(number) is not Status.WAITING:
                continue
            asked += 1
            yield job or Job(item, number, journal.begin(item.id, item.body))

    def _left_job(self, journal: BatchJournal, output: Output, number: int, item: Item) -> Job | None:
        """The job of an item that was in flight when its process died, if it can be taken up at the provider."""
        attempt, begin = self._left.pop(number)
        records = records_at(journal.path, attempt, begin)
        sink = journal.resume(attempt, begin)
        last = next((record for record in reversed(records) if record.event.type in STEPS), None)
        if last is not None and last.state in SETTLED and len(records) > 1:
            self._settle(sink, number, last.state)
            self._add_from_journal(journal, output, number, begin)
            return None
        if can_attach(self.runner.assistant(), records):
            return Job(item, number, sink, records)
        sink.end(AGAIN)
        return None

    def _settle(self, sink: Attempt, number: int, state: State) -> None:
        sink.end(state.value)
        self.ledger.settle(number, _status(state.value), sink.begin)
        self._dirty.set()

    def _ended(self, ended: Ended) -> None:
        job, result = ended.job, ended.result
        assert isinstance(job.sink, Attempt)  # noqa: S101 - `_jobs` made it
        assert self._output is not None  # noqa: S101 - it is open while items are asked
        if result is None:
            with suppress(OSError):  # the journal may be why: then it is in flight still
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
                self.runner.stop(Stop("failed", f"{error.filename}: {error.strerror}.", "Free some space."), now=True)
                return


def _status(end: str) -> Status:
    return Status.DONE if end == State.COMPLETED.value else Status.FAILED
