"""The driver: listens to an Assistant Proxy, keeps the pulse, and tries again when that can help."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import cast

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

__all__ = ["Patience", "listen"]

OPENING = (Started, ToolOutputsSubmitted)
CLOSING = (ActionRequired, AssistantMessageRetrieved, MessageIncomplete)
SPOKEN = (*OPENING, Heartbeat, ChunkReceived, *CLOSING)
"""The messages that an Assistant Proxy may say; notes come on top."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for an assistant, and how often to ask.

    `heartbeat`: seconds of silence after which a heartbeat is said. `attempts`: requests in all. `delay`: seconds before the
    second attempt, doubled each time, with jitter, `longest` at the most; a provider that asks for a longer wait is not
    asked again.
    """

    heartbeat: float = 2.0
    attempts: int = 4
    delay: float = 0.5
    longest: float = 60.0

    def wait(self, attempt: int, asked: float | None) -> float | None:
        """Seconds to wait before the next attempt; None: waiting does not help."""
        if attempt >= self.attempts or (asked is not None and asked > self.longest):
            return None
        if asked is not None:
            return asked
        return min(self.delay * 2.0 ** (attempt - 1), self.longest) * random.uniform(0.75, 1.0)  # noqa: S311 - jitter


async def listen(ask: Callable[[], AsyncIterator[Event]], say: Callable[[Event], object], patience: Patience) -> Event:
    """Say what an assistant says; returns the message that ends its turn, which is not said yet.

    A failed request is sent again only before the first piece of an answer, when the failure says that this can help.

    Raises:
        AssistantError: the assistant failed, or broke its contract.
        ScriptError: the assistant said something that the script does not expect.
    """
    attempt, opened = 0, False
    while True:
        attempt += 1
        spoken = False
        try:
            async with _reading(ask()) as events, _Pulse(say, patience.heartbeat) as pulse:
                async for event in events:
                    _check(event)
                    if isinstance(event, CLOSING):
                        return event
                    spoken = spoken or isinstance(event, ChunkReceived | Reasoning)
                    pulse.touch()
                    if isinstance(event, OPENING):
                        if opened:
                            continue  # a retry: the script is past it
                        opened = True
                    say(event)
            raise AssistantError("protocol", "The assistant stopped before its answer was complete.", "Try again.")
        except AssistantError as error:
            delay = None if spoken or not error.retryable else patience.wait(attempt, error.retry_after)
            if delay is None:
                raise
            say(RetryScheduled(attempt, round(delay, 3), error.kind, str(error)))
        await asyncio.sleep(delay)


def _check(event: object) -> None:
    if not isinstance(event, Event) or (is_message(event) and not isinstance(event, SPOKEN)):
        name = event.type if isinstance(event, Event) else type(event).__name__
        raise AssistantError("protocol", f"The provider said '{name}', which an assistant never says.")


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

    async def __aenter__(self) -> _Pulse:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._timer = self._loop.call_later(self._every, self._beat)
        return self

    def touch(self) -> None:
        self._last = self._loop.time()

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
