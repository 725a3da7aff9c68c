"""Batching: a fast stream is read several chunks at a time.

Reading four chunks at once costs hardly more than reading one. What costs is waking up for each, a millisecond of a core.
Nobody sees the difference: frames on the screen are further apart.
"""

from __future__ import annotations

import asyncio

__all__ = ["Batching"]

FRAME = 1 / 25
"""Seconds for which a steady stream is left alone, so that chunks gather. What was not read yet is not saved yet either:
`kill -9` costs at most so much of an answer."""
STEADY = 20
"""Chunks in a row, each sooner than a frame after the one before, that make a stream steady. A short answer never is."""
AT_ONCE = 0.001
"""Two events at most so many seconds apart arrived together."""
MAX_BUSY = 0.02
"""Seconds after which an assistant that never waits lets the loop have its turn: timers, painters, a cancellation."""


class Batching:
    """Pauses between the reads of one reply."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._last: float | None = None
        self._paused = self._loop.time()
        self._in_a_row = 0

    async def after_event(self) -> None:
        """Pause before the next read, if that does any good."""
        now = self._loop.time()
        gap, self._last = now - (now if self._last is None else self._last), now
        if gap < AT_ONCE:
            if now - self._paused >= MAX_BUSY:
                await self._pause(0)
            return
        self._paused = now
        self._in_a_row = self._in_a_row + 1 if gap < FRAME else 0
        if self._in_a_row > STEADY:
            await self._pause(FRAME)

    async def _pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._last = self._paused = self._loop.time()
