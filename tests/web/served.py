"""The page's server in a thread of the test's process: as `asst web` serves it, without the start of a process."""

from __future__ import annotations

import asyncio
import os
import threading
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import httpx2

from asstproxy.web.serve import WebServer

__all__ = ["Served", "ServedPage"]


class Served:
    """Something that serves the page at an address; `pid` is its process."""

    def __init__(self, address: str, pid: int) -> None:
        self.address, self.pid = address, pid
        parts = urlsplit(address)
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.port = parts.port or 0
        self.token = parse_qs(parts.query)["token"][0]
        self._clients: list[httpx2.Client] = []

    def client(self, **settings: Any) -> httpx2.Client:
        """A client that is closed at the end."""
        made = httpx2.Client(base_url=self.origin, timeout=20, **settings)
        self._clients.append(made)
        return made

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for client in self._clients:
            client.close()
        self.end()

    def end(self) -> None:
        """End the server."""


class ServedPage(Served):
    """The server of `asst web`, on a free port unless one is named."""

    def __init__(self, *profiles: str, port: int = 0) -> None:
        self._server = WebServer("127.0.0.1", port, profiles)
        super().__init__(self._server.address, os.getpid())
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._server.run(open_browser=False))

    def end(self) -> None:
        """End the server, and the thread."""
        self._loop.call_soon_threadsafe(self._server.stop)
        self._thread.join()
