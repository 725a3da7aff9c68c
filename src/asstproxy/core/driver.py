"""The driver: listens to an Assistant Proxy, keeps the pulse, and tries again when that can help."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from types import TracebackType
from typing import Self, cast

import msgspec

from .errors import AssistantError
from .events import (
    ActionRequired,
    AssistantMessageRetrieved,
    ChunkReceived,
    Event,
    Heartbeat,
    MessageIncomplete,
    Reasoning,
    RetryScheduled,
    Started,
    ToolOutputsSubmitted,
    is_message,
)
from .patience import Retries

__all__ = ["listen", "stopping"]

OPENING = (Started, ToolOutputsSubmitted)
CLOSING = (ActionRequired, AssistantMessageRetrieved, MessageIncomplete)
SPOKEN = (*OPENING, Heartbeat, ChunkReceived, *CLOSING)
"""The messages that an Assistant Proxy may say; notes come on top."""
BREATH = 0.02
"""Seconds after which an assistant that never waits lets the loop have its turn: timers, painters, a cancellation."""


async def listen(ask: Callable[[], AsyncIterator[Event]], say: Callable[[Event], object], retries: Retries) -> Event:
    """Say what an assistant says; returns the message that ends its turn, which is not said yet.

    A failed request is sent again only before the first piece of an answer, when the failure says that this can help.

    Raises:
        AssistantError: the assistant failed, or broke its contract.
        ScriptError: the assistant said something that the script does not expect.
        asyncio.CancelledError: the task was cancelled, whatever the assistant made of it.
    """
    attempt, opened, stopped = 0, False, stopping()
    while True:
        attempt += 1
        spoken, again = False, opened
        retries.begin()
        try:
            async with _reading(ask()) as events, _Pulse(say, retries.patience.heartbeat) as pulse:
                async for event in events:
                    if stopped():
                        raise asyncio.CancelledError
                    _check(event)
                    if isinstance(event, CLOSING):
                        return event
                    spoken = spoken or isinstance(event, ChunkReceived | Reasoning)
                    if pulse.touch():
                        await asyncio.sleep(0)
                    if isinstance(event, OPENING):
                        opened = True
                        if again:  # the script is past it
                            again = False
                            continue
                    say(event)
            raise AssistantError("protocol", "The assistant stopped before its answer was complete.", "Try again.")
        except AssistantError as error:
            if spoken or stopped():
                raise
            delay = retries.wait(attempt, error)
            say(RetryScheduled(attempt, round(delay, 3), error.kind, str(error), retries.patience.attempts))
        await asyncio.sleep(delay)


def stopping() -> Callable[[], bool]:
    """Tells whether the current task was asked to stop since now, even if its CancelledError was swallowed or replaced."""
    task = asyncio.current_task()
    before = task.cancelling() if task is not None else 0
    return lambda: task is not None and task.cancelling() > before


def _check(event: object) -> None:
    if not isinstance(event, Event) or (is_message(event) and not isinstance(event, SPOKEN)):
        name = event.type if isinstance(event, Event) else type(event).__name__
        raise AssistantError("protocol", f"The provider said '{name}', which an assistant never says.")
    try:  # a record that cannot be written, or read back, would damage the journal
        msgspec.convert(msgspec.to_builtins(event, builtin_types=(bytes,)), type(event))
    except (msgspec.ValidationError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise AssistantError("protocol", f"The provider said '{event.type}' with a wrong value: {error}") from error


@contextlib.asynccontextmanager
async def _reading(events: AsyncIterator[Event]) -> AsyncIterator[AsyncIterator[Event]]:
    try:
        yield events
    finally:
        if hasattr(events, "aclose"):
            await cast("AsyncGenerator[Event]", events).aclose()


class _Pulse:
    """Says a heartbeat when an assistant has been silent for a while.

    A timer, not a task around every piece of an answer: a fast stream pays one clock reading for it.
    """

    def __init__(self, say: Callable[[Event], object], every: float) -> None:
        self._say, self._every = say, every
        self._last: float | None = None  # the script expects no heartbeat before the opening message
        self._failure: Exception | None = None

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._timer = self._loop.call_later(self._every, self._beat)
        self._breath = self._loop.time()
        return self

    def touch(self) -> bool:
        """The assistant spoke; tells whether the loop has waited for its turn long enough."""
        self._last = now = self._loop.time()
        if now - self._breath < BREATH:
            return False
        self._breath = now
        return True

    def _beat(self) -> None:
        silent = 0.0 if self._last is None else self._loop.time() - self._last
        if silent >= self._every:
            try:
                self._say(Heartbeat())
            except Exception as error:  # noqa: BLE001 - raised again where the exchange can see it
                self._failure = error
                if self._task is not None:
                    self._task.cancel()
                return
            self.touch()
            silent = 0.0
        self._timer = self._loop.call_later(self._every - silent, self._beat)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        if self._failure is not None and self._task is not None:
            self._task.uncancel()
            raise self._failure
