"""The driver: receives what an Assistant Proxy yields, with heartbeats while it is silent, and retries where that can help."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from types import TracebackType
from typing import NoReturn, Self, cast

import msgspec

from .errors import AssistantError
from .events import (
    ChunkReceived,
    Event,
    Heartbeat,
    Reasoning,
    RetryScheduled,
)
from .reply_redaction import ReplyRedactor
from .retry import RetryBudget
from .roles import ASSISTANT_EVENTS, CLOSING, OPENING, Publish

__all__ = ["closing", "deliver_cancellation", "receive_reply"]

AT_ONCE = 0.001
"""Two events at most so many seconds apart arrived together."""
MAX_BUSY = 0.02
"""Seconds after which an assistant that never waits lets the loop have its turn: timers, painters, a cancellation."""


async def receive_reply(
    request: Callable[[], AsyncIterator[Event]],
    publish: Publish,
    *,
    retries: RetryBudget,
    heartbeat: float,
    is_cancelled: Callable[[], bool],
    opened: bool = False,
) -> Event:
    """Publish what an assistant yields; returns the message that ends its reply, which is not published yet.

    `heartbeat` is in seconds. A failed request is sent again only before the first chunk of an answer, and only when the
    failure says that this can help. `opened`: the script is past the message that opens the reply.

    Raises:
        AssistantError: the assistant failed, or broke its contract.
        ScriptError: the assistant yielded a message that the script does not expect.
        asyncio.CancelledError: the task was cancelled, even if the assistant swallowed that.
    """
    attempt = 0
    while True:
        attempt += 1
        answering, opened_before = False, opened
        redactor = ReplyRedactor()
        retries.start_attempt()
        try:
            async with closing(request()) as events, Heartbeats(publish, heartbeat) as heartbeats:
                turns = _Turns()
                async for received in events:
                    if is_cancelled():
                        await deliver_cancellation()
                    _check(received)
                    for event in redactor.redacted(received):
                        if isinstance(event, CLOSING):
                            return event
                        answering = answering or isinstance(event, ChunkReceived | Reasoning)
                        opened = opened or isinstance(event, OPENING)
                        if opened_before and isinstance(event, OPENING):
                            opened_before = False  # a retry: the script is past it
                        else:
                            publish(event)
                    heartbeats.event_received()
                    await turns.after_event()
            raise AssistantError("protocol", "The assistant stopped before its answer was complete.", "Try again.")
        except AssistantError as error:
            if is_cancelled():
                await deliver_cancellation()
            if answering:
                for event in redactor.rest():
                    publish(event)
                raise
            delay = retries.next_delay(attempt, error)
            publish(RetryScheduled(attempt, round(delay, 3), error.kind, str(error), retries.policy.attempts))
        await asyncio.sleep(delay)


async def deliver_cancellation() -> NoReturn:
    """Raise the CancelledError of a task that was cancelled: the pending one, or another one if it was swallowed."""
    await asyncio.sleep(0)
    raise asyncio.CancelledError


class Heartbeats:
    """Publishes a heartbeat whenever an assistant has been silent for `every` seconds, while it is entered.

    A timer, not a task around every chunk of an answer: a fast stream pays one clock reading for it.
    """

    def __init__(self, publish: Publish, every: float) -> None:
        self._publish, self._every = publish, every
        self._last: float | None = None  # the script expects no heartbeat before the opening message
        self._failure: Exception | None = None
        self._task = asyncio.current_task()
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(every, self._beat)

    async def __aenter__(self) -> Self:
        return self

    def event_received(self) -> None:
        """Note that the assistant is not silent."""
        self._last = self._loop.time()

    def _beat(self) -> None:
        silent = 0.0 if self._last is None else self._loop.time() - self._last
        if silent >= self._every:
            try:
                self._publish(Heartbeat())
            except Exception as error:  # noqa: BLE001 - raised again where the exchange can see it
                self._failure = error
                if self._task is not None:
                    self._task.cancel()
                return
            self._last = self._loop.time()
            silent = 0.0
        self._timer = self._loop.call_later(self._every - silent, self._beat)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        if self._failure is not None and self._task is not None:
            self._task.uncancel()
            raise self._failure


def _check(event: object) -> None:
    if not isinstance(event, ASSISTANT_EVENTS):
        name = event.type if isinstance(event, Event) else type(event).__name__
        raise AssistantError("protocol", f"The provider yielded '{name}', which an Assistant Proxy may not send.")
    try:  # a record that cannot be written, or read back, would damage the journal
        msgspec.convert(msgspec.to_builtins(event, builtin_types=(bytes,)), type(event))
    except (msgspec.ValidationError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise AssistantError(
            "protocol", f"The provider yielded '{event.type}' with an invalid value: {error}"
        ) from error


@contextlib.asynccontextmanager
async def closing(events: AsyncIterator[Event]) -> AsyncIterator[AsyncIterator[Event]]:
    """Close it at the end, as `contextlib.aclosing` does; an iterator without `aclose` has nothing to close."""
    try:
        yield events
    finally:
        if hasattr(events, "aclose"):
            await cast("AsyncGenerator[Event]", events).aclose()


class _Turns:
    """Lets the event loop have its turn while an assistant yields one event after the other and never waits."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._last = self._began = self._loop.time()

    async def after_event(self) -> None:
        """Yield to the loop if it has waited for `MAX_BUSY`."""
        now = self._loop.time()
        if now - self._last >= AT_ONCE:
            self._began = now
        elif now - self._began >= MAX_BUSY:
            await asyncio.sleep(0)
            self._began = now = self._loop.time()
        self._last = now
