"""Serving the page on this machine until Ctrl-C.

Nothing heavy is imported before the address is printed: a browser that is faster than the server waits in the socket's queue.
"""

from __future__ import annotations

import secrets
import socket
import sys
import threading
from collections.abc import Callable, Sequence

from ..core.errors import UsageError
from .loopback import is_loopback

__all__ = ["WebServer"]

_QUEUE = 128
"""Connections that wait until the server takes them."""


class WebServer:
    """The page on a port that is open from the start, so that the address can be printed before the server runs.

    `host` other than a loopback address: others on the network can reach it; they need the token.

    Raises:
        UsageError: the address isn't one of this machine, or the port is taken.
    """

    def __init__(self, host: str, port: int, profiles: Sequence[str]) -> None:
        self._host, self._profiles = host, profiles
        self._token = secrets.token_urlsafe(24)
        self._socket = _listen(host, port)
        self.port = int(self._socket.getsockname()[1])
        shown = "127.0.0.1" if host in ("0.0.0.0", "::", "") else host  # noqa: S104 - what the person asked for
        name = f"[{shown}]" if ":" in shown else shown
        self.address = f"http://{name}:{self.port}/?token={self._token}"
        self.is_public = not is_loopback(host)
        self._stop: Callable[[], None] | None = None
        self._is_stopped = False

    async def run(self, *, open_browser: bool) -> None:
        """Serve until `stop`; then stop the exchanges and close their sessions.

        Raises:
            AsstError: the data dir can't be written.
        """
        try:
            if open_browser:
                threading.Thread(target=_open, args=(self.address,), daemon=True).start()
            from .application import app
            from .http_server import HttpServer

            page = app(self._profiles, token=self._token, hosts={"*"} if self.is_public else {self._host})
            server = HttpServer(page)

            def stop() -> None:
                page.end_streams()
                server.stop()

            self._stop = stop
            if not self._is_stopped:
                await server.serve(sockets=[self._socket])
        finally:
            self._socket.close()

    def stop(self) -> None:
        """End `run`."""
        self._is_stopped = True
        if self._stop is not None:
            self._stop()


def _open(address: str) -> None:
    import webbrowser

    try:
        opened = webbrowser.open(address)
    except webbrowser.Error:
        opened = False
    if not opened:
        sys.stderr.write("No browser could be opened. Open the address yourself.\n")


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        found = socket.socket(family, kind, protocol)
        if sys.platform != "win32":  # there it would let two servers share the port
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(address)
        found.listen(_QUEUE)
    except OSError as error:
        raise UsageError(
            f"Can't listen on {host}:{port}: {error.strerror}.", "Choose another port, or --port 0 for a free one."
        ) from error
    return found
