"""Collecting what a provider's batches have answered: each item's exchange ends with its answer."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing

from msgspec.structs import replace

from ..core.codec import now, to_unix_time
from ..core.conversation import Conversation
from ..core.errors import AssistantError, may_pass
from ..core.events import Configured, Record
from ..providers.batch_api import BatchAnswer, BatchApi, RemoteBatch, not_answered
from ..user import UserProxy
from .job_book import GROUP, JobBook
from .jobs import Job, Packed
from .journal import mark_at, records_at
from .late_answers import OPTIONS, LateAssistant
from .ledger import Status
from .stopping import Stopping

__all__ = ["collect_all", "collect_done", "look"]

SLOWER, SLOWEST = 1.25, 30
"""By which the pause between two looks grows, and how many times the first one it may become."""
LONGEST = 3600.0
"""Seconds that a provider may make us wait."""
KEPT = 48 * 3600.0
"""Seconds since a batch was sent, after which results that can't be found are taken for deleted."""

Apis = Callable[[Job], BatchApi]
"""The batch API of a job."""


async def collect_all(book: JobBook, apis: Apis, stopping: Stopping) -> None:
    """Look at the batches until all of them are collected; the pauses grow.

    What the provider works on is paid already, so a failure that may pass doesn't end this.

    Raises:
        AssistantError: the provider refuses, or doesn't have a batch any more.
        OSError: a file can't be written.
    """
    factor, was_warned = 1.0, False
    while book.open_jobs and not stopping.is_set:
        asked = 0.0
        for job in book.open_jobs:
            try:
                if await _collect_if_done(book, job, apis(job)):
                    factor = 1.0
            except AssistantError as error:
                if not may_pass(error.kind):
                    raise
                asked = max(asked, min(error.retry_after or 0.0, LONGEST))
                if not was_warned:
                    was_warned = True
                    vendor = apis(job).vendor
                    book.say(f"{vendor} can't be reached now; asst keeps trying. ({str(error).rstrip('.')})")
        if book.open_jobs:
            first = max(apis(job).poll for job in book.open_jobs)
            await stopping.pause(max(first * factor, asked))
            factor = min(factor * SLOWER, SLOWEST)


async def collect_done(book: JobBook, apis: Apis) -> None:
    """Collect the batches that are over now.

    Raises:
        AssistantError: as `collect_all`, and when the provider can't be reached.
        OSError: a file can't be written.
    """
    for job in book.open_jobs:
        await _collect_if_done(book, job, apis(job))


async def look(job: Job, api: BatchApi, out: str) -> RemoteBatch:
    """How far a batch is at its provider.

    Raises:
        AssistantError: the provider refused it, or doesn't have it any more, or can't be asked.
    """
    try:
        remote = await api.look(job.token)
    except AssistantError as error:
        if error.kind != "not_found":
            raise
        message = f"{api.vendor} doesn't have the batch of {job.at[:10]} any more, with {job.count:,} items."
        raise AssistantError("not_found", message, "Drop it.", code="batch_lost", data={"out": out}) from None
    if remote.refusal:
        message = f"{api.vendor} refused the batch: {remote.refusal.rstrip('.')}. No item was answered."
        raise AssistantError("invalid_request", message, "Drop it.", code="batch_lost", data={"out": out})
    return remote


async def _collect_if_done(book: JobBook, job: Job, api: BatchApi) -> bool:
    remote = await look(job, api, str(book.output.path))
    if remote.is_over:
        await _collect(book, job, api, remote)
    return remote.is_over


async def _collect(book: JobBook, job: Job, api: BatchApi, remote: RemoteBatch) -> None:
    """Take over the results of a batch that is over: of each request, the first one."""
    packed = book.packed(job)
    seen, odd, taken = bytearray(len(packed)), 0, 0
    try:
        async with aclosing(api.results(remote)) as answers:
            async for answer in answers:
                place = packed.place(job.attempt_of(answer.id))
                if place is None or seen[place]:
                    odd += 1
                    continue
                seen[place] = 1
                taken += await _take(book, api, packed, place, answer)
                if taken >= GROUP:
                    taken = 0
                    await book.commit()
    except AssistantError as error:
        if error.kind != "not_found":
            raise
        _require_deleted(job, api, error)
        book.say(f"{api.vendor} has deleted results of the batch of {job.at[:10]}.")
    missing = BatchAnswer("", error=not_answered(remote.missing))
    for place in range(len(packed)):
        if not seen[place]:
            await _take(book, api, packed, place, missing)
    await book.commit()
    await book.save(replace(job, state="collected"))
    if odd:
        book.say(f"{api.vendor} sent {odd:,} results twice, unreadable, or of no item here. They are left out.")


def _require_deleted(job: Job, api: BatchApi, error: AssistantError) -> None:
    """Check that the results of a batch, which can't be found, were there once.

    Raises:
        AssistantError: they are too young for that; a failure that may pass.
    """
    if to_unix_time(now()) - to_unix_time(job.at) < KEPT:
        raise AssistantError(
            "protocol", f"{api.vendor} doesn't find the results of the batch of {job.at[:10]}.", "Try again later."
        ) from error


async def _take(book: JobBook, api: BatchApi, packed: Packed, place: int, answer: BatchAnswer) -> bool:
    """Let the exchange of an item end with its answer, in an attempt of its own; False if it has ended before."""
    path, number, begin = book.journal.path, packed.numbers[place], packed.begins[place]
    mark = mark_at(path, begin)
    if book.ledger.status(number) is not Status.SENT or mark.begin is None:
        return False
    records = records_at(path, mark.attempt, begin)
    attempt = book.journal.begin(mark.begin.id, book.ledger.body(number))
    for record in records:
        attempt(record)
    configured = next((one.event for one in reversed(records) if isinstance(one.event, Configured)), None)
    assistant = LateAssistant(api, answer)
    conversation = Conversation(assistant, UserProxy(()), configured=configured, options=OPTIONS, past=records)

    def save(record: Record) -> None:
        attempt(record)
        records.append(record)

    conversation.subscribe(save, essential=True)
    await conversation.attach()
    book.settle(attempt, number, mark.begin.id, records)
    return True
