"""Being stopped in the middle of waiting."""

from __future__ import annotations

import asyncio
from contextlib import suppress

__all__ = ["Stopping"]


class Stopping:
    """Says whether to stop, and ends every pause when that is so."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    @property
    def is_set(self) -> bool:
        """Whether to stop."""
        return self._event.is_set()

    def set(self) -> None:
        """Stop from now on."""
        self._event.set()

    async def pause(self, seconds: float) -> None:
        """Wait so long, or until it is time to stop."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._event.wait()
