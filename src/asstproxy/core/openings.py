"""How an exchange begins: with a message, with a run that a dead process left, or with the answer to a message that failed."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol, cast

import msgspec

from .attachment import Attachment
from .errors import AssistantError
from .events import Event, Heartbeat, Notice, SetUserMessage, Started
from .roles import AssistantProxy, Attachable
from .turn import Turn

if TYPE_CHECKING:
    from .lost_answer import LostAnswer
    from .resume import InFlight

__all__ = ["MakeTurn", "Opening", "attached", "sent", "taken_up"]

FETCHED = "The provider kept the answer that it was working on, so asst fetches it instead of asking again."
ASKED_ANEW = "Asking again, because the answer that the provider was working on can't be fetched: {error}"
_KEPT = ("authentication", "connection")
"""Failures that say nothing about the answer: it may still be there."""


class MakeTurn(Protocol):
    """Makes what the provider is sent for a message, or for attaching with a token of the provider's."""

    def __call__(
        self,
        text: str,
        resume: Any = None,
        *,
        attachments: tuple[Attachment, ...] = (),
        schema: dict[str, Any] | None = None,
        corrects: bool = False,
    ) -> Turn: ...


class Begun(Protocol):
    """What an opening needs of the exchange."""

    assistant: AssistantProxy
    make_turn: MakeTurn

    def publish(self, event: Event) -> object:
        """Take a step of the script, or publish a note."""

    async def receive(self, request: Callable[[], AsyncIterator[Event]]) -> Event:
        """Publish what the assistant yields; returns the message that ends its reply, which is not published yet."""


Opening = Callable[[Begun], Awaitable[Event]]
"""Begins an exchange; returns its first message that is not published yet."""


def sent(message: SetUserMessage, notes: Iterable[Event]) -> Opening:
    """A new exchange: these notes, then the person's `message`."""

    async def opening(exchange: Begun) -> Event:
        for note in notes:
            exchange.publish(note)
        return message

    return opening


def attached(in_flight: InFlight) -> Opening:
    """The exchange goes on that still runs at the provider."""

    async def opening(exchange: Begun) -> Event:
        from .resume import skip_received

        assistant = cast("Attachable", exchange.assistant)
        turn = exchange.make_turn("", in_flight.resume, schema=in_flight.schema)
        return await exchange.receive(lambda: skip_received(assistant.attach(turn), in_flight.received))

    return opening


def taken_up(lost: LostAnswer) -> Opening:
    """A new exchange with the message of one that failed, and with the answer that the provider makes, or has made, for it.

    What was received before is published again; nothing of it runs again. An answer that is gone is asked for anew.
    """

    async def opening(exchange: Begun) -> Event:
        exchange.publish(lost.message)
        fetching = _Fetching(exchange, lost)
        return await exchange.receive(fetching.events)

    return opening


class _Fetching:
    """The provider's reply to a message that it was sent before."""

    def __init__(self, exchange: Begun, lost: LostAnswer) -> None:
        self._exchange, self._lost = exchange, lost
        self._gone = self._repeated = False
        message = lost.message
        self._anew = exchange.make_turn(message.text, attachments=message.attachments, schema=message.schema)
        items = lost.items(exchange.assistant.provider, self._anew.model, self._anew.files)
        self._turn = msgspec.structs.replace(
            self._anew, text="", attachments=(), history=(*self._anew.history, *items), resume=lost.resume
        )

    async def events(self) -> AsyncGenerator[Event]:
        """What the driver reads; again, when it makes the request again."""
        if not self._gone:
            yield self._lost.started
            if not self._lost.events:
                self._repeat()
            found = False
            try:
                async with _closing(cast("Attachable", self._exchange.assistant).attach(self._turn)) as events:
                    async for event in events:
                        if not found and not isinstance(event, Notice):
                            found = True
                            self._exchange.publish(Notice(FETCHED))
                            self._repeat()
                        yield event
            except AssistantError as error:
                if found or error.kind in _KEPT:
                    self._repeat()
                    raise
                self._gone, anew = True, ASKED_ANEW.format(error=error)
            except BaseException:
                self._repeat()  # the token is kept, so that the answer can be fetched later
                raise
            else:
                return
            yield Notice(anew)
        async with _closing(self._exchange.assistant.start_processing(self._anew)) as events:
            async for event in events:
                if not isinstance(event, Started):
                    yield event

    def _repeat(self) -> None:
        """Publish what was received before, once."""
        if not self._repeated:
            self._repeated = True
            for event in (*self._lost.events, Heartbeat(resume=self._lost.resume)):
                self._exchange.publish(event)


def _closing(events: AsyncIterator[Event]) -> contextlib.aclosing[AsyncGenerator[Event]]:
    return contextlib.aclosing(cast("AsyncGenerator[Event]", events))
