"""A server of plain sockets on 127.0.0.1, in threads of its own: for what no HTTP library would say."""

from __future__ import annotations

import socketserver
import threading
from types import TracebackType
from typing import Self

__all__ = ["ThreadedServer"]


class ThreadedServer:
    """Serves while the `with` block lasts. Its handlers find it as their `owner`."""

    def __init__(self, handler: type[socketserver.BaseRequestHandler]) -> None:
        self._server = _Server(("127.0.0.1", 0), type("Handler", (handler,), {"owner": self}))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
