"""Serving the page on this machine until Ctrl-C."""

from __future__ import annotations

import contextlib
import ipaddress
import secrets
import socket
import sys
import webbrowser
from collections.abc import Callable, Iterator, Sequence

import uvicorn

from ..core.errors import UsageError
from .app import app
from .security import loopback_hosts

__all__ = ["WebServer"]

_GRACE = 2
"""Seconds that open requests get at the end: a stream of records never ends by itself."""


class WebServer:
    """The page on a port that is open from the start, so that the address can be printed before the server runs.

    `host` other than a loopback address: others on the network can reach it; they need the token.

    Raises:
        UsageError: the address isn't one of this machine, or the port is taken.
    """

    def __init__(self, host: str, port: int, profiles: Sequence[str]) -> None:
        token = secrets.token_urlsafe(24)
        self._socket = _listen(host, port)
        self.port = int(self._socket.getsockname()[1])
        shown = "127.0.0.1" if host in ("0.0.0.0", "::", "") else host  # noqa: S104 - what the person asked for
        name = f"[{shown}]" if ":" in shown else shown
        self.address = f"http://{name}:{self.port}/?token={token}"
        self.is_public = not _is_loopback(host)
        hosts = {host} if not self.is_public else {"*"}
        self._page = app(profiles, token=token, hosts=hosts)
        config = uvicorn.Config(
            self._page,
            log_config=None,
            access_log=False,
            ws="none",
            server_header=False,
            timeout_graceful_shutdown=_GRACE,
        )
        self._server = _Server(config)

    async def run(self, *, open_browser: bool) -> None:
        """Serve until `stop`; then stop the exchanges and close their sessions."""
        if open_browser:
            self._server.when_started = lambda: _open(self.address)
        try:
            await self._server.serve(sockets=[self._socket])
        finally:
            self._socket.close()

    def stop(self) -> None:
        """End `run`."""
        self._page.end_streams()
        self._server.should_exit = True


class _Server(uvicorn.Server):
    """Without signal handlers of its own: asst has them."""

    when_started: Callable[[], None] | None = None

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and self.when_started is not None:
            self.when_started()


def _open(address: str) -> None:
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
    except OSError as error:
        raise UsageError(
            f"Can't listen on {host}:{port}: {error.strerror}.", "Choose another port, or --port 0 for a free one."
        ) from error
    return found


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in loopback_hosts()
