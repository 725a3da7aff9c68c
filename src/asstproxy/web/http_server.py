"""The HTTP server that carries the page: uvicorn, quiet, and without signal handlers of its own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator

import uvicorn

from .application import Page

__all__ = ["HttpServer"]

_GRACE = 2
"""Seconds that open requests get at the end."""
_TICK = 1.0
"""Seconds between two looks at the clock, for the header `Date`."""


class HttpServer(uvicorn.Server):
    """Serves the page until `stop`. Signals are handled by asst."""

    def __init__(self, page: Page) -> None:
        super().__init__(
            uvicorn.Config(
                page,
                log_config=None,
                access_log=False,
                ws="none",
                server_header=False,
                timeout_graceful_shutdown=_GRACE,
            )
        )
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """End `serve`, once open requests are answered."""
        self.should_exit = True
        self._stopped.set()

    async def main_loop(self) -> None:
        """What uvicorn does ten times a second, to see whether it should end, is done once: each waking up costs."""
        counter = 0
        while not await self.on_tick(counter):
            counter += 10  # uvicorn counts tenths of a second
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_TICK):
                    await self._stopped.wait()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals as they are."""
        yield
