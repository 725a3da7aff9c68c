"""Batches at a provider: many requests that it answers later, within a day, at half the price.

A provider adds this ability with a function `batches(profile)`, which returns its `BatchApi` (see `registry.batches`). What is kept
on disk, and what survives a crash, is the caller's affair (`asstproxy.batches`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

import msgspec

from ..core.errors import AssistantError, NotSetUpError
from ..core.events import Event
from ..core.history import UserMessage
from ..core.roles import SchemaSupport
from ..core.turn import Turn
from .fields import get_text
from .stream import reply_events
from .transport import JSON

if TYPE_CHECKING:
    from .base import StatelessProvider
    from .transport.http import HttpTransport

__all__ = [
    "BATCH",
    "BatchAnswer",
    "BatchApi",
    "BatchLimits",
    "BatchRequests",
    "Missing",
    "RemoteBatch",
    "created",
    "not_answered",
]

BATCH = "batch"
"""The `service_tier` of what a batch uses."""
Missing = Literal["", "expired", "cancelled"]
"""Why a request has no answer; empty if unknown."""


class BatchLimits(NamedTuple):
    """The most requests and bytes of one batch."""

    requests: int
    bytes: int


@dataclass(frozen=True, slots=True)
class BatchRequests:
    """The requests of one batch: a file of lines (`BatchApi.line`), all for `endpoint` (a path of the API) and one model."""

    file: Path
    count: int
    size: int
    endpoint: str


class BatchAnswer(NamedTuple):
    """What a batch has for one request: the reply of the API, or why there is none. `id` is empty if it can't be read."""

    id: str
    reply: JSON | None = None
    error: AssistantError | None = None


@dataclass(frozen=True, slots=True)
class RemoteBatch:
    """A batch as its provider describes it.

    `status` is the API's own word. `is_over`: its results can be read, and no more will come. `done` and `failed` count requests.
    `refusal`: why the provider took the whole batch back, of which nothing was asked then. `missing`: why requests without an
    answer have none. `reply` is the description itself.
    """

    status: str
    is_over: bool
    done: int = 0
    failed: int = 0
    refusal: str = ""
    missing: Missing = ""
    reply: JSON = field(default_factory=dict)


class BatchApi(ABC):
    """The batches of one provider, with the requests and the readers of its Assistant Proxy `provider`.

    `vendor` names it for a person. `poll` is in seconds: the first pause between two looks at a batch. A token is the API's own
    JSON for a batch: what `submit` returns, and what the other methods are given, in another process as well.

    Raises:
        NotSetUpError: the profile's transport can't carry files.
    """

    limits: BatchLimits

    def __init__(self, provider: StatelessProvider, vendor: str, poll: float) -> None:
        if not hasattr(provider.transport, "lines"):
            raise NotSetUpError(
                "Batches at the provider need our own transport.", 'Set transport = "http" in the profile.'
            )
        self.provider, self.vendor, self.poll = provider, vendor, poll
        self.transport = cast("HttpTransport", provider.transport)

    @property
    def structured(self) -> SchemaSupport:
        """What schemas of answers the API takes."""
        return getattr(self.provider, "structured", SchemaSupport())

    # ---- one request ---------------------------------------------------------------------------------------------------

    async def request(self, turn: Turn) -> tuple[str, JSON]:
        """Path and body of the request for a turn; large files in it are uploaded here.

        Raises:
            AssistantError: a file can't be sent.
        """
        provider = self.provider
        self._take(turn)
        await provider.attachments.begin(provider.turn, provider.accepts)
        items = provider.attachments.fit([*turn.history, UserMessage(turn.text, turn.attachments)])
        if any(isinstance(item, UserMessage) and item.attachments for item in items):
            await provider.attachments.prepare(lambda: provider.request(provider.turn, items))
        return provider.request(provider.turn, items)

    def answer(self, turn: Turn, reply: JSON) -> Iterator[Event]:
        """Our events for the reply to the request of this turn.

        Raises:
            AssistantError: it is a failure, or of no use.
        """
        self._take(turn)
        reader = self.provider.new_reader()
        reader.may_pause = False
        return reply_events(reply, reader)

    def _take(self, turn: Turn) -> None:
        provider = self.provider
        resolved = provider.resolve(turn)
        if turn.schema is not None:
            from .answer_schema import by_function, can_express

            if not can_express(resolved, provider.dialect):
                resolved = provider.resolve(by_function(turn))
        provider.turn = resolved

    # ---- what a subclass says ------------------------------------------------------------------------------------------

    @abstractmethod
    def line(self, number: str, path: str, body: JSON) -> JSON:
        """A request as a line of the batch's file; `number` comes back with its answer."""

    @abstractmethod
    async def submit(self, name: str, requests: BatchRequests, before: Callable[[JSON], Awaitable[None]]) -> JSON:
        """Send a batch under a name of ours; its token.

        `before` is awaited directly before the request that makes the batch, with what `find` needs.

        Raises:
            AssistantError: the provider refuses it, or can't be reached.
        """

    @abstractmethod
    async def find(self, name: str, token: JSON) -> JSON | None:
        """The token of the batch that was sent under this name, with what `before` was given; None if none was made.

        Raises:
            AssistantError: that can't be found out.
        """

    @abstractmethod
    async def look(self, token: JSON) -> RemoteBatch:
        """How far it is.

        Raises:
            AssistantError: the provider doesn't know it, or can't be reached.
        """

    @abstractmethod
    def results(self, batch: RemoteBatch) -> AsyncGenerator[BatchAnswer]:
        """The answers of a batch that is over, in any order.

        Raises:
            AssistantError: they can't be read to their end.
        """

    @abstractmethod
    async def cancel(self, token: JSON) -> None:
        """Ask the provider to stop it; what it has answered by then stays.

        Raises:
            AssistantError: the provider doesn't know it, or can't be reached.
        """

    async def read_lines(self, path: str) -> AsyncGenerator[JSON]:
        """The objects in a file of lines, for subclasses; an empty one for a line that has none. Empty lines are left out.

        Raises:
            AssistantError: the file can't be read to its end.
        """
        async with aclosing(self.transport.lines(path)) as lines:
            async for line in lines:
                if line.strip():
                    yield _decoded(line)

    async def aclose(self) -> None:
        """Close the connections."""
        await self.provider.aclose()


def not_answered(missing: Missing) -> AssistantError:
    """The error of a request that a batch has no answer for."""
    match missing:
        case "expired":
            return AssistantError("timeout", "The batch expired before this was asked.", "Ask it directly.")
        case "cancelled":
            return AssistantError("interrupted", "The batch was cancelled before this was asked.", "Ask it again.")
    return AssistantError("protocol", "The batch has no result for this.", "Ask it again.")


def created(reply: Mapping[str, Any], key: str = "id") -> str:
    """The id of what a provider has made.

    Raises:
        AssistantError: it made nothing.
    """
    if not (number := get_text(reply, key)):
        raise AssistantError("protocol", "The server made no batch.", "Check base_url: does it have a batch API?")
    return number


def _decoded(line: bytes) -> JSON:
    """The object of a line; an empty one if it isn't any."""
    try:
        value = msgspec.json.decode(line)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
