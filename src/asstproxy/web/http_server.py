"""The HTTP server that carries the page: uvicorn, quiet, and without signal handlers of its own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import uvicorn

from .application import Page

__all__ = ["HttpServer"]

_GRACE = 2
"""Seconds that open requests get at the end."""


class HttpServer(uvicorn.Server):
    """Serves the page until `should_exit` is set. Signals are handled by asst."""

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

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals as they are."""
        yield
