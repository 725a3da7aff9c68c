"""A batch from a file into a file: it can be stopped at any moment, and goes on where it was."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ..core.errors import UsageError
from ..core.events import Record
from ..core.resume import can_attach
from ..core.script import SETTLED, STEPS, State
from .asked import Asked
from .item import Item
from .journal import (
    Attempt,
    BatchJournal,
    each_mark,
    folder_of,
    mark_at,
    open_journal,
    records_at,
    records_of,
)
from .ledger import Ledger, Status
from .output import Output, OutputForm
from .reading import BrokenItemError, Input
from .result import result_of
from .runner import Ended, Job, Runner, disk_failure

__all__ = ["AGAIN", "FileBatch", "accept", "refuse_foreign"]

AGAIN = "again"
"""How an attempt ends whose item is to be asked once more."""
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
    """Check that a file isn't something else's before it is written.

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
class _Left:
    """An attempt that a dead process left: its number, where it begins in the journal, and its records."""

    attempt: int
    begin: int
    records: list[Record]


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
    _left: dict[int, _Left] = field(default_factory=dict)  # by item
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
        journal = open_journal(self.out, self.form, self.asked)
        try:
            self._compare(journal)
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

    def _compare(self, journal: BatchJournal) -> None:
        """Check that this run asks as the first one did.

        Raises:
            UsageError: it doesn't.
        """
        head, asked = journal.head, self.asked
        if head.form != self.form:
            raise UsageError(
                f"The lines of {self.out} have the form {head.form}.",
                "Use the same form, or choose another output file.",
                code="batch_form",
                data={"form": head.form},
            )
        if head.asked is None or asked is None:
            return
        if before := head.asked.without(asked, allowed=self.retry_failed):
            raise UsageError(
                f"{self.out} was begun with {before}.",
                "Ask as before, or choose another output file.",
                code="batch_changed",
            )

    def _load(self, journal: BatchJournal) -> None:
        """Note in the ledger what the journal says of each item."""
        ledger, running = self.ledger, dict[int, tuple[int, int]]()
        changed: dict[int, str] = {}
        for mark in each_mark(journal.path):
            journal.attempts_known(mark.attempt)
            if mark.begin is not None:
                number = ledger.find(mark.begin.id)
                if number is None:
                    raise UsageError(
                        f'{self.out} belongs to another input: its item "{mark.begin.id}" isn\'t in {self.source.name}.',
                        "Choose another output file.",
                    )
                if int(mark.begin.body, 16) != ledger.body(number):
                    changed[number] = mark.begin.id
                else:
                    changed.pop(number, None)
                ledger.reopen(number)
                running[mark.attempt] = (number, mark.at)
            elif (begun := running.pop(mark.attempt, None)) is not None and mark.end != AGAIN:
                ledger.settle(begun[0], _status(mark.end), begun[1])
        last = {number: (attempt, begin) for attempt, (number, begin) in running.items()}
        left = {number: one for number, one in last.items() if ledger.status(number) is Status.WAITING}
        for number, item in changed.items():
            status = ledger.status(number)
            if not (self.retry_failed if status is Status.FAILED else status is Status.WAITING and number not in left):
                raise UsageError(
                    f'The item "{item}" was asked with another text before.',
                    "Give it a new id, or choose another output file.",
                )
        records = records_of(journal.path, dict(left.values()))
        self._left = {number: _Left(*one, records[one[0]]) for number, one in left.items()}

    async def _write_settled(self, journal: BatchJournal, output: Output) -> None:
        """Write the lines that an earlier run did not come to."""
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
                self.runner.stop(disk_failure(error), now=True)
                return


def _status(end: str) -> Status:
    return Status.DONE if end == State.COMPLETED.value else Status.FAILED
