"""Sending the items of a batch to the batch API of their provider.

That a batch goes out is saved before it does. Whether it arrived is found out, at the latest by the next run, by the name that it
was given; only what isn't there is sent again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from ..core.codec import now
from ..core.errors import AssistantError, UsageError, may_pass
from ..core.events import Configured
from ..core.script import SETTLED
from ..providers.batch_api import BatchApi
from ..text.figures import count_of
from ..tools.schema_source import ChosenSchema
from .asked import Asked
from .item import Item
from .job_book import JobBook
from .jobs import Job
from .ledger import Status
from .packing import Pack, Packer
from .reading import Input
from .stopping import Stopping

__all__ = ["Submission", "send"]

TRIES = 4
"""How often a batch is sent while its provider fails or can't be reached."""

Prepare = Callable[[BatchApi, Iterator[Item]], Awaitable[Mapping[str, Any]]]


@dataclass(slots=True)
class Submission:
    """The items to send. `prepare` is given them before anything is sent; what it returns is added to their settings.

    `limit`: how many items to send at most. `retry_failed`: send those again that failed. `asked`: as in `FileBatch`.
    """

    source: Input
    profile: str
    configured: Configured
    schema: ChosenSchema | None = None
    limit: int | None = None
    retry_failed: bool = False
    prepare: Prepare | None = None
    asked: Asked | None = None


async def send(book: JobBook, submission: Submission, api: BatchApi, folder: Path, stopping: Stopping) -> None:
    """Send every item that waits, in as many batches as it takes.

    Raises:
        UsageError: an item can't be sent, or the input was changed.
        AssistantError: the provider refuses, or can't be reached.
        OSError: a file can't be written.
    """
    settings: Mapping[str, Any] = {}
    if next(_waiting(book, submission), None) is None:
        return
    if submission.prepare is not None:
        settings = await submission.prepare(api, (item for _, item in _waiting(book, submission)))
    packer = Packer(api, book.journal, submission.configured, folder, first=book.next_job, settings=settings)
    sender = _Sender(book, api, submission, stopping)
    try:
        async for pack in _packs(book, submission, packer, stopping):
            await sender.send(pack)
        await book.commit()
    finally:
        packer.close()
        book.reopen_unsent()


def _waiting(book: JobBook, submission: Submission) -> Iterator[tuple[int, Item]]:
    """The items that are to be sent, by their numbers."""
    ledger, source, count = book.ledger, submission.source, 0
    for number, item in enumerate(source.items(lambda _: None)):
        if number >= len(ledger) or ledger.body(number) != item.body:
            raise UsageError(
                f"{source.name} was changed while it was read, in line {item.line}.", "Run the command again."
            )
        if ledger.status(number) is Status.WAITING:
            if submission.limit is not None and count >= submission.limit:
                return
            count += 1
            yield number, item


async def _packs(book: JobBook, submission: Submission, packer: Packer, stopping: Stopping) -> AsyncIterator[Pack]:
    """What is packed, each batch once it is full; at last those that aren't."""
    schema = submission.schema.schema if submission.schema is not None else None
    for number, item in _waiting(book, submission):
        if stopping.is_set:
            return
        attempt, records = await packer.add(item, number, schema)
        if records[-1].state in SETTLED:  # it can't be asked
            book.settle(attempt, number, item.id, records)
        else:
            book.ledger.settle(number, Status.SENT, attempt.begin)
        for pack in packer.full():
            yield pack
        await asyncio.sleep(0)
    for pack in packer.rest():
        if not stopping.is_set:
            yield pack


class _Sender:
    def __init__(self, book: JobBook, api: BatchApi, submission: Submission, stopping: Stopping) -> None:
        self._book, self._api, self._stopping = book, api, stopping
        self._profile, self._model = submission.profile, submission.configured.model

    async def send(self, pack: Pack) -> None:
        """Send a batch; after a failure that may pass, it is looked for before it is sent again.

        Raises:
            AssistantError: the provider refuses it, or goes on failing.
        """
        api, book, requests = self._api, self._book, pack.requests()
        job = Job(
            pack.job,
            pack.name,
            "sending",
            self._profile,
            requests.count,
            now(),
            model=self._model,
            ordered=book.ordered,
        )
        was_sent = False

        async def before(token: dict[str, Any]) -> None:
            nonlocal job, was_sent
            job, was_sent = replace(job, token=token), True
            book.past.packed[job.job] = pack.packed
            await book.save(job)

        try:
            token = None
            for tries in range(1, TRIES + 1):
                try:
                    token = await api.find(job.name, job.token) if was_sent else None
                    if token is None:
                        token = await self._submitted(pack, lambda: api.submit(job.name, requests, before))
                    break
                except AssistantError as error:
                    if not may_pass(error.kind) or tries == TRIES or self._stopping.is_set:
                        raise
                    await self._stopping.pause(max(api.poll * 2**tries, error.retry_after or 0.0))
                    if self._stopping.is_set:
                        raise
            await book.save(replace(job, state="sent", token=token or {}))
        finally:
            pack.remove()
        book.say(f"Sent {count_of(requests.count, 'item')} to {api.vendor} as a batch.")

    async def _submitted(self, pack: Pack, submit: Callable[[], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
        """What `submit` returns. A job that the provider certainly refused is forgotten."""
        try:
            return await submit()
        except AssistantError as error:
            if not may_pass(error.kind) and (job := self._book.past.jobs.get(pack.job)) is not None:
                await self._book.drop(job)
            raise
