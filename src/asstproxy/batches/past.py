"""What earlier runs left of a batch: where each item stands, what was in flight, and what its provider has."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ..core.errors import UsageError
from ..core.script import State
from .jobs import Job, Packed, each_job
from .journal import AGAIN, PACKED, BatchJournal, Begin, each_mark
from .ledger import Ledger, Status

__all__ = ["Past", "load_past", "status_of"]


@dataclass(slots=True)
class Past:
    """`left`: attempts that a dead process left in flight, with their beginnings, by item. `jobs`: the provider's batches by
    number; `packed`: the attempts of those that are open.
    """

    left: dict[int, tuple[int, int]] = field(default_factory=dict)
    jobs: dict[int, Job] = field(default_factory=dict)
    packed: dict[int, Packed] = field(default_factory=dict)


def load_past(journal: BatchJournal, ledger: Ledger, out: Path, source: str | None) -> Past:
    """Note in the ledger what the journal says of each item. `source` is the name of the input; without one, the items that the
    journal knows are taken in.

    Raises:
        UsageError: the output belongs to another input, or an item has changed since it was asked.
        OSError: the journal can't be read.
    """
    past = Past({}, {job.job: job for job in each_job(journal.path)})
    running = dict[int, tuple[int, int]]()
    for mark in each_mark(journal.path):
        journal.attempts_known(mark.attempt)
        if mark.begin is not None:
            running[mark.attempt] = (_number(ledger, mark.begin, out, source), mark.at)
        elif (begun := running.pop(mark.attempt, None)) is None:
            continue
        elif mark.end == PACKED:
            job = past.jobs.get(mark.job)
            if job is not None and job.is_open:
                past.packed.setdefault(mark.job, Packed()).add(mark.attempt, *begun)
                ledger.settle(begun[0], Status.SENT, begun[1])
        elif mark.end != AGAIN:
            ledger.settle(begun[0], status_of(mark.end), begun[1])
    for attempt, (number, begin) in running.items():
        if ledger.status(number) is Status.WAITING:
            past.left[number] = (attempt, begin)
    return past


def _number(ledger: Ledger, begin: Begin, out: Path, source: str | None) -> int:
    """The number of the item that an attempt asks."""
    body = int(begin.body, 16)
    if source is None:
        return ledger.add(begin.id, body)
    number = ledger.find(begin.id)
    if number is None:
        raise UsageError(
            f'{out} belongs to another input: its item "{begin.id}" isn\'t in {source}.',
            "Choose another output: -o OUT.jsonl",
        )
    if body != ledger.body(number):
        raise UsageError(
            f'The item "{begin.id}" was asked with another text before.',
            "Give it a new id, or choose another output: -o OUT.jsonl",
        )
    return number


def status_of(end: str) -> Status:
    """Where an item stands whose attempt ended in this state."""
    return Status.DONE if end == State.COMPLETED.value else Status.FAILED
