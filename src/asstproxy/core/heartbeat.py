"""The pulse of an exchange: a heartbeat for an assistant that is silent, a pause for one that is not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self

from .events import Event, Heartbeat

__all__ = ["Pulse"]

BREATH = 0.02
"""Seconds after which an assistant that never waits lets the loop have its turn: timers, painters, a cancellation."""
GATHERING = 1 / 12
"""Seconds for which a stream is left alone so that it gathers. Taking 8 pieces at once costs hardly more than taking one:
waking up for each is what costs, a millisecond of a core. Nobody sees the difference: frames are as far apart."""
STEADY = 20
"""Pieces that have to come one by one, each sooner than that, before a stream is left to gather: a short answer never is."""
AT_ONCE = 0.001
"""Seconds between two events that came in one piece, at the most."""


class Pulse:
    """Says a heartbeat when an assistant has been silent for `every` seconds, while it is entered.

    A timer, not a task around every piece of an answer: a fast stream pays one clock reading for it.
    """

    def __init__(self, say: Callable[[Event], object], every: float) -> None:
        self._say, self._every = say, every
        self._last: float | None = None  # the script expects no heartbeat before the opening message
        self._steady = 0
        self._failure: Exception | None = None

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._timer = self._loop.call_later(self._every, self._beat)
        self._breath = self._loop.time()
        return self

    async def heard(self) -> None:
        """The assistant spoke, and what it said is told: pause before listening again, if that does any good."""
        now = self._loop.time()
        waited, self._last = now - (now if self._last is None else self._last), now
        if waited < AT_ONCE:
            if now - self._breath >= BREATH:
                await self._pause(0)
            return
        self._breath = now
        self._steady = self._steady + 1 if waited < GATHERING else 0
        if self._steady > STEADY:
            await self._pause(GATHERING)

    async def _pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._last = self._breath = self._loop.time()

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
