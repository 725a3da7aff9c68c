"""The runner: holds the exchanges of many items side by side, each a conversation of its own."""

from __future__ import annotations

import asyncio
import contextlib
import errno
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, cast

import msgspec

from .._version import __version__
from ..core.codec import now
from ..core.conversation import Conversation
from ..core.errors import AsstError, Kind
from ..core.events import (
    AssistantMessageRetrieved,
    Configured,
    ErrorOccurred,
    MessageIncomplete,
    Record,
    SessionOpened,
    SetUserMessage,
    Started,
)
from ..core.redact import redact
from ..core.resume import can_attach
from ..core.retry import RetryPolicy
from ..core.roles import AssistantProxy
from ..core.script import STEPS, State
from ..core.turn import Options
from ..files import read_attachment
from ..providers.budget import MAX_COST
from ..tools import Approver, Tool
from ..tools.schema_source import ChosenSchema
from ..user import UserProxy
from .item import Item
from .pace import Pace
from .paced import paced
from .result import Prices, Result, result_of

__all__ = [
    "RETRY",
    "Ended",
    "Job",
    "Progress",
    "Runner",
    "Sink",
    "Stop",
    "configured_for",
    "disk_failure",
    "seed",
]

RETRY = RetryPolicy(attempts=8, delay=0.5, max_delay=3600.0, max_elapsed=7200.0)
"""Nobody waits for one answer of a batch: an hour of pause is better than a failed item."""
HEARTBEAT = 30.0
_FATAL = ("authentication", "quota")
"""Failures that every other item would have, too."""
_DOWN = ("server", "connection", "timeout", "not_found")
MOST_IN_A_ROW = 25
"""Items that may fail like this one after the other; then the provider is down, and the rest is not asked."""
_FULL = (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))


class Sink(Protocol):
    """Saves the records of an item; see `journal.Attempt`."""

    def __call__(self, record: Record) -> None:
        """Save a record."""


@dataclass(slots=True)
class Job:
    """An item to ask. `sink` saves its records; `past` are those of an attempt that a dead process left."""

    item: Item
    number: int = 0
    sink: Sink | None = None
    past: Sequence[Record] = ()


@dataclass(frozen=True, slots=True)
class Stop:
    """Why no more items are asked (`failed`: our own disk), in words, and with the kind of the failure."""

    why: Literal["cap", "fatal", "down", "interrupted", "failed"]
    message: str = ""
    hint: str = ""
    kind: Kind = "internal"


def disk_failure(error: OSError) -> Stop:
    """Why a batch stops that can't write its files."""
    where = f"{error.filename}: " if error.filename else ""
    hint = "Free some space, and run it again." if error.errno in _FULL else ""
    return Stop("failed", redact(f"{where}{error.strerror or error}."), hint)


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of a job. Without a result it is still to be asked."""

    job: Job
    result: Result | None


@dataclass(slots=True)
class Progress:
    """Counts of one run."""

    done: int = 0
    failed: int = 0
    in_flight: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0
    is_cost_known: bool = True

    def add(self, result: Result) -> None:
        """Count a result."""
        if result.is_failed:
            self.failed += 1
        else:
            self.done += 1
        self.input_tokens += result.usage.input
        self.output_tokens += result.usage.output
        if result.cost is None:
            self.is_cost_known = self.is_cost_known and not (result.usage.input or result.usage.output)
        else:
            self.cost += result.cost


@dataclass(slots=True)
class Runner:
    """Asks items. `connect` makes an assistant; each serves one item at a time, and there are as many as items in flight.

    `configured` says who answers and how; an item may replace its parts. `prices`: what the results' costs are computed with.
    `schema`: what every answer must fit.
    """

    connect: Callable[[], AssistantProxy]
    configured: Configured
    pace: Pace
    prices: Prices | None = None
    tools: Iterable[Tool] = ()
    schema: ChosenSchema | None = None
    approve: Approver | None = None
    background: bool = False
    progress: Progress = field(default_factory=Progress)
    stopped: Stop | None = None
    _idle: list[AssistantProxy] = field(default_factory=list)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _free: asyncio.Event = field(default_factory=asyncio.Event)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _in_a_row: int = 0

    def stop(self, stop: Stop, *, now: bool = False) -> None:
        """Begin no more items; those in flight are finished, or (`now`) stopped, too."""
        self.stopped = self.stopped or stop
        self._stopping.set()
        if now:
            for task in self._tasks:
                task.cancel()

    def assistant(self) -> AssistantProxy:
        """An assistant that answers nobody now; the first one is made before anything is sent.

        Raises:
            NotSetUpError: something that it needs is missing.
            UsageError: a limit of the cost can't be kept.
        """
        if not self._idle:
            self._idle.append(self._new())
        return self._idle[-1]

    def _new(self) -> AssistantProxy:
        return paced(self.connect(), self.pace)

    async def run(self, jobs: AsyncGenerator[Job], ended: Callable[[Ended], None]) -> None:
        """Ask all of them; `ended` is called with each. Returns when all that began are over. Cancelling it stops them.

        Raises:
            Exception: what `jobs` raised, after the items in flight.
        """
        feeding = asyncio.create_task(self._feed(jobs, ended))
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({feeding, stopping}, return_when=asyncio.FIRST_COMPLETED)
            feeding.cancel()  # the next item may never come
            await asyncio.wait({feeding})
            while self._tasks:
                await asyncio.wait(set(self._tasks))
        except asyncio.CancelledError:
            feeding.cancel()
            self.stop(Stop("interrupted"), now=True)
            await asyncio.wait({feeding, *self._tasks})
            raise
        finally:
            stopping.cancel()
        if not feeding.cancelled():
            feeding.result()

    async def _feed(self, jobs: AsyncGenerator[Job], ended: Callable[[Ended], None]) -> None:
        async with contextlib.aclosing(jobs):
            while True:
                while len(self._tasks) >= self.pace.limit:
                    self._free.clear()
                    await self._free.wait()
                job = await anext(jobs, None)
                if job is None:
                    return
                if self.stopped is not None:
                    ended(Ended(job, None))
                    return
                task = asyncio.create_task(self._take(job, ended))
                self._tasks.add(task)
                self.progress.in_flight = len(self._tasks)
                task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self.progress.in_flight = len(self._tasks)
        self._free.set()
        if task.cancelled() or (error := task.exception()) is None:
            return
        if isinstance(error, OSError):
            self.stop(disk_failure(error), now=True)
        else:
            self.stop(Stop("failed", redact(f"{type(error).__name__}: {error}"), "This is a bug in asst."), now=True)

    async def _take(self, job: Job, ended: Callable[[Ended], None]) -> None:
        records: list[Record] = [*job.past]
        assistant = self._idle.pop() if self._idle else self._new()
        try:
            last = await self._hold(job, assistant, records)
        except asyncio.CancelledError:
            ended(Ended(job, None))
            await assistant.aclose()
            return
        except BaseException:
            await assistant.aclose()
            raise
        self._idle.append(assistant)
        if self._is_settled(last):
            result = result_of(job.item.id, records, self.prices)
            self.progress.add(result)
            ended(Ended(job, result))
        else:
            ended(Ended(job, None))

    async def ask(self, job: Job) -> Result | None:
        """Ask one item, together with all others; None: it is still to be asked.

        Raises:
            Exception: what is wrong isn't the item's fault.
        """
        results: list[Result | None] = []
        await self._take(job, lambda ended: results.append(ended.result))
        return results[0]

    def _is_settled(self, last: Record) -> bool:
        """Whether this is how the item ended; else something is wrong that it can't help, and it is asked again later."""
        event = last.event
        if isinstance(event, MessageIncomplete) and event.reason.startswith(MAX_COST):
            words = event.reason.partition(": ")[2]
            self.stop(Stop("cap", f"{words[:1].upper()}{words[1:]}."))
            return False
        if not isinstance(event, ErrorOccurred):
            self._in_a_row = 0
            return True
        kind = cast("Kind", event.kind)
        self._in_a_row = self._in_a_row + 1 if kind in _DOWN else 0
        if kind in _FATAL:
            self.stop(Stop("fatal", event.message, event.hint, kind))
            return False
        if kind == "rate_limit":  # it was asked again for as long as that was worth it
            self.stop(Stop("down", event.message, event.hint, kind))
            return False
        if self._in_a_row >= MOST_IN_A_ROW:
            words = f"{self._in_a_row} items in a row failed, the last one with: {event.message}"
            self.stop(Stop("down", words, event.hint, kind))
        return True

    async def _hold(self, job: Job, assistant: AssistantProxy, records: list[Record]) -> Record:
        """Hold the exchange of an item; every record of it is saved, and added to `records`."""

        def save(record: Record) -> None:
            if job.sink is not None:
                job.sink(record)
            records.append(record)

        item, user = job.item, UserProxy(self.tools, self.approve)
        configured = configured_for(item, self.configured, assistant.provider, tuple(user.tools))
        past = job.past
        if not past:
            past = seed(item, configured)
            for record in past:
                save(record)
        conversation = Conversation(
            assistant,
            user,
            configured=configured,
            options=Options(stream=False, background=self.background, heartbeat=HEARTBEAT, retry=RETRY),
            past=past,
        )
        conversation.subscribe(save, essential=True)
        if conversation.is_running and can_attach(assistant, past):
            return await conversation.attach()
        try:
            files = [await read_attachment(source) for source in item.attachments]
            fits = self.schema
            return await conversation.exchange(
                item.prompt,
                attachments=files,
                schema=fits.schema if fits is not None else None,
                check=fits.check if fits is not None else None,
            )
        except AsstError as error:  # nothing was asked
            if conversation.state in (State.NEW, State.COMPLETED):
                message = SetUserMessage(item.prompt)
                kind = "invalid_request"
                failure = ErrorOccurred(kind, str(error), error.hint)
                conversation.mediator.handle(message)
                conversation.publish(message)
                conversation.mediator.handle(failure)
                return conversation.publish(failure)
            raise

    async def aclose(self) -> None:
        """Close every assistant."""
        while self._idle:
            await self._idle.pop().aclose()


def configured_for(item: Item, configured: Configured, provider: str, tools: tuple[str, ...] = ()) -> Configured:
    """Who answers an item and how: `configured`, with what the item replaces."""
    return msgspec.structs.replace(
        configured,
        provider=configured.provider or provider,
        model=item.model or configured.model,
        instructions=configured.instructions if item.system is None else item.system,
        tools=tools,
        settings={**configured.settings, **item.settings},
    )


def seed(item: Item, configured: Configured) -> list[Record]:
    """The records that an item begins with: the opening of a session, and the exchanges that it brings along."""
    at = now()
    records = [Record(1, at, State.NEW, SessionOpened(item.id, asst=__version__))]
    if not item.history:
        return records
    records.append(Record(2, at, State.NEW, configured))
    for turn in item.history:
        for event in (
            SetUserMessage(turn.user),
            Started(configured.provider, configured.model),
            AssistantMessageRetrieved(turn.answer),
        ):
            records.append(Record(len(records) + 1, at, STEPS[event.type].dest, event))
    return records
