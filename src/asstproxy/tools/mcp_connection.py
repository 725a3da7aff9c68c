"""The connection to an MCP server. The SDK requires one task for opening and closing, so each connection has its own."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import msgspec

from ..core.redact import redacting_logger

if TYPE_CHECKING:
    import httpx2
    from mcp import Client

    from .mcp_stdio import StdioServer

__all__ = ["Connection", "McpConfig"]

CLOSE_WITHIN = 1.6
"""Seconds until a connection that doesn't close is cut."""

_log = redacting_logger(__name__)


class McpConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One server as the profile configures it: a `command` or a `url`.

    `timeout` is in seconds. `tools`: names of the tools that are offered, `*` and `?` stand for any text and character; none: all.
    """

    command: str = ""
    args: tuple[str, ...] = ()
    env: dict[str, str] = {}
    cwd: str = ""
    url: str = ""
    headers: dict[str, str] = {}
    timeout: float = 30.0
    tools: tuple[str, ...] = ()


class Connection:
    """One connection. It starts to open when it is created."""

    def __init__(self, config: McpConfig) -> None:
        self._config = config
        self._process: StdioServer | None = None
        self._leave = asyncio.Event()
        self._client: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._hold())

    @property
    def client(self) -> Client:
        """The SDK's client, once it is open."""
        return self._client.result()

    @property
    def alive(self) -> bool:
        """Whether the server can still be used, as far as is known."""
        return not self._task.done() and (self._process is None or self._process.alive)

    def exit_reason(self) -> str:
        """Why the server ended, as far as is known, for a message."""
        return self._process.exit_reason() if self._process is not None else ""

    def first_other_line(self) -> str:
        """The first line of its output that was not a message, for a message; "" if there was none."""
        return self._process.first_other_line() if self._process is not None else ""

    async def opened(self, seconds: float) -> None:
        """Wait until it is open.

        Raises:
            TimeoutError: it did not open within `seconds`.
            Exception: what the SDK or the system raised.
        """
        try:
            async with asyncio.timeout(seconds):
                await asyncio.shield(self._client)
        except BaseException:
            await self.aclose()
            raise

    async def _hold(self) -> None:
        from mcp import Client

        from .mcp_tolerance import TolerantTransport

        try:
            async with contextlib.AsyncExitStack() as stack:
                transport = TolerantTransport(await self._transport(stack))
                client = await stack.enter_async_context(Client(transport))
                self._client.set_result(client)
                await self._leave.wait()
        except BaseException as error:
            if self._client.done():
                _log.debug("an MCP connection did not end well", exc_info=error)
            else:
                self._client.set_exception(error if isinstance(error, Exception) else ConnectionError("closed"))
                self._client.exception()  # retrieved, even if nobody waits for it: otherwise asyncio complains
            if isinstance(error, asyncio.CancelledError):
                raise

    async def _transport(self, stack: contextlib.AsyncExitStack) -> Any:
        config = self._config
        if config.command:
            from .mcp_stdio import StdioServer

            self._process = StdioServer(config.command, config.args, config.env, config.cwd)
            return self._process
        import httpx2
        from mcp.client.streamable_http import streamable_http_client

        from .mcp_http import TolerantHttpClient

        limit = httpx2.Timeout(
            config.timeout, read=max(config.timeout, 300.0)
        )  # a stream may be silent for a long time
        http: httpx2.AsyncClient = await stack.enter_async_context(
            TolerantHttpClient(headers=config.headers, timeout=limit)
        )
        return streamable_http_client(config.url, http_client=http)

    async def aclose(self) -> None:
        """Close it; if that takes too long, cut it."""
        self._leave.set()
        for seconds in (CLOSE_WITHIN if self._client.done() else 0.0, 0.3, 0.3):
            await asyncio.wait({self._task}, timeout=seconds)
            if self._task.done():
                break
            self._task.cancel()
        if self._process is not None:
            await self._process.closed()
