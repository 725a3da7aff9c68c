"""What earlier runs left of a batch: where each item stands, what was in flight, and what its provider has."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ..core.errors import UsageError
from ..core.events import Record
from ..core.script import State
from .asked import Asked
from .jobs import Job, Packed, each_job
from .journal import AGAIN, PACKED, BatchJournal, Begin, Head, each_mark, records_of
from .ledger import Ledger, Status

__all__ = ["Left", "Past", "load_past", "require_same", "status_of"]


@dataclass(slots=True)
class Left:
    """An attempt that a dead process left: its number, where it begins in the journal, and its records."""

    attempt: int
    begin: int
    records: list[Record]


@dataclass(slots=True)
class Past:
    """`left`: attempts that a dead process left in flight, by item. `jobs`: the provider's batches by number; `packed`: the
    attempts of those that are open.
    """

    left: dict[int, Left] = field(default_factory=dict)
    jobs: dict[int, Job] = field(default_factory=dict)
    packed: dict[int, Packed] = field(default_factory=dict)


def require_same(head: Head, out: Path, form: str, asked: Asked | None, *, retry_failed: bool) -> None:
    """Check that this run asks as the first one did, which wrote `head`.

    Raises:
        UsageError: it doesn't.
    """
    if head.form != form:
        raise UsageError(
            f"The lines of {out} have the form {head.form}.",
            "Use the same form, or choose another output file.",
            code="batch_form",
            data={"form": head.form},
        )
    if head.asked is None or asked is None:
        return
    if before := head.asked.without(asked, allowed=retry_failed):
        may_change = not retry_failed and head.asked.schema == asked.schema  # for those that failed
        raise UsageError(
            f"{out} was begun with {before}.",
            "Ask as before, or choose another output file.",
            code="batch_changed" if may_change else "batch_fixed",
        )


def load_past(
    journal: BatchJournal, ledger: Ledger, out: Path, source: str | None, *, retry_failed: bool = False
) -> Past:
    """Note in the ledger what the journal says of each item. `source` is the name of the input; without one, the items that the
    journal knows are taken in. `retry_failed`: an item that failed may have changed.

    Raises:
        UsageError: the output belongs to another input, or an item has changed since it was asked.
        OSError: the journal can't be read.
    """
    past = Past({}, {job.job: job for job in each_job(journal.path)})
    running, changed = dict[int, tuple[int, int]](), dict[int, str]()
    for mark in each_mark(journal.path):
        journal.attempts_known(mark.attempt)
        if mark.begin is not None:
            number = _number(ledger, mark.begin, out, source)
            if int(mark.begin.body, 16) != ledger.body(number) and source is not None:
                changed[number] = mark.begin.id
            else:
                changed.pop(number, None)
            if ledger.status(number) is not Status.SENT:  # else this attempt has the answer of the provider's batch
                ledger.reopen(number)
            running[mark.attempt] = (number, mark.at)
        elif (begun := running.pop(mark.attempt, None)) is None:
            continue
        elif mark.end == PACKED:
            job = past.jobs.get(mark.job)
            if job is not None and job.is_open:
                past.packed.setdefault(mark.job, Packed()).add(mark.attempt, *begun)
                ledger.settle(begun[0], Status.SENT, begun[1])
        elif mark.end != AGAIN:
            ledger.settle(begun[0], status_of(mark.end), begun[1])
    last = {number: (attempt, begin) for attempt, (number, begin) in running.items()}
    left = {number: one for number, one in last.items() if ledger.status(number) is Status.WAITING}
    for number, item in changed.items():
        status = ledger.status(number)
        if not (retry_failed if status is Status.FAILED else status is Status.WAITING and number not in left):
            raise UsageError(
                f'The item "{item}" was asked with another text before.',
                "Give it a new id, or choose another output file.",
            )
    records = records_of(journal.path, dict(left.values()))
    past.left = {number: Left(*one, records[one[0]]) for number, one in left.items()}
    return past


def _number(ledger: Ledger, begin: Begin, out: Path, source: str | None) -> int:
    """The number of the item that an attempt asks."""
    if source is None:
        return ledger.add(begin.id, int(begin.body, 16))
    number = ledger.find(begin.id)
    if number is None:
        raise UsageError(
            f'{out} belongs to another input: its item "{begin.id}" isn\'t in {source}.', "Choose another output file."
        )
    return number


def status_of(end: str) -> Status:
    """Where an item stands whose attempt ended in this state."""
    return Status.DONE if end == State.COMPLETED.value else Status.FAILED
