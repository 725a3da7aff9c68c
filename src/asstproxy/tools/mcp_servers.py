"""MCP servers of a profile: their tools become tools like any other.

```toml
[profiles.work.mcp.time]
command = "uvx"
args = ["mcp-server-time"]
env = { TOKEN = "${TIME_TOKEN}" }       # from the environment or credentials.toml

[profiles.work.mcp.wiki]
url = "https://wiki.example/mcp"        # streamable HTTP
headers = { Authorization = "Bearer ${WIKI_TOKEN}" }
timeout = 60                            # seconds for a call (default: 30)
```

A server that died is restarted by the next call. The SDK (extra `mcp`) is imported when the first server is opened.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from ..config.insecure_http import warn_of_plain_http
from ..config.profiles import Profile
from ..core.errors import AsstError, NotSetUpError
from ..core.redact import redact_logs, redacting_logger, register_named_secrets
from . import Tool, ToolError
from .arguments import parse
from .mcp_connection import Connection, McpConfig
from .portable_schema import MAX_DESCRIPTION

if TYPE_CHECKING:
    from mcp.types import CallToolResult

__all__ = ["McpServer", "close_all", "configured_servers"]

MAX_PAGES = 20
"""Pages of a server's list of tools that are read."""

_VARIABLE = re.compile(r"\$\{(\w+)\}")
_log = redacting_logger(__name__)


class _Options(msgspec.Struct):
    mcp: dict[str, McpConfig] = {}


def configured_servers(profile: Profile) -> list[McpServer]:
    """The servers of a profile; none is started yet.

    Raises:
        NotSetUpError: their configuration has an error, a variable isn't set, or the package `mcp` is missing.
    """
    servers = []
    for name, config in profile.read(_Options).mcp.items():
        if bool(config.command) == bool(config.url):
            raise NotSetUpError(
                f"profiles.{profile.name}.mcp.{name} needs either a command or a url.", "Fix the profile."
            )

        def filled(values: dict[str, str]) -> dict[str, str]:
            return {key: _VARIABLE.sub(lambda m: profile.secret(m[1]), value) for key, value in values.items()}

        filled_in = msgspec.structs.replace(config, env=filled(config.env), headers=filled(config.headers))
        register_named_secrets(filled_in.env | filled_in.headers)
        warn_of_plain_http(filled_in.url, f"The MCP server '{name}'")
        servers.append(McpServer(name, filled_in))
    if servers:
        try:
            import mcp  # noqa: F401
        except ImportError:
            raise NotSetUpError(
                f"The profile '{profile.name}' has MCP servers, which need the package mcp.",
                "Run: pip install 'asstproxy[mcp]'.",
            ) from None
        redact_logs()
        logging.getLogger("mcp").addHandler(logging.NullHandler())  # otherwise its warnings are printed on the screen
    return servers


class McpServer:
    """A server and the connection to it. It is used and closed in one event loop."""

    def __init__(self, name: str, config: McpConfig) -> None:
        self.name, self._config = name, config
        self._connection: Connection | None = None
        self._opening = asyncio.Lock()
        self._is_closed = False

    async def tools(self) -> tuple[list[Tool], list[str]]:
        """Its tools, and one line about each that can't be offered.

        Raises:
            ToolError: the server can't be reached, or doesn't speak MCP.
        """
        found: list[Tool] = []
        notices: list[str] = []
        client = (await self._connected()).client
        cursor: str | None = None
        try:
            async with asyncio.timeout(self._config.timeout):
                for _ in range(MAX_PAGES):
                    page = await client.list_tools(cursor=cursor)
                    for one in page.tools:
                        try:
                            found.append(self._tool(one.name, one.description or one.title or "", one.input_schema))
                        except AsstError as error:
                            notices.append(f"MCP server '{self.name}': {error} This tool is left out.")
                    if not (cursor := page.next_cursor):
                        break
        except Exception as error:  # whatever a server sends, it is the server's fault
            raise self._failure(error) from error
        return found, notices

    def _tool(self, name: str, description: str, schema: dict[str, Any]) -> Tool:
        async def call(arguments: dict[str, Any]) -> str:
            return await self._call(name, arguments)

        known_as = re.sub(r"[^A-Za-z0-9_-]", "_", f"{self.name}_{name}")
        if len(description) > MAX_DESCRIPTION:
            description = description[: MAX_DESCRIPTION - 1] + "…"
        return Tool(
            known_as,
            description,
            schema,
            call,
            bind=lambda text: ((parse(text),), {}),
            approval="ask",  # whatever it says about itself: the protocol says not to trust its hints
            timeout=self._config.timeout,
            source=f"mcp:{self.name}",
        )

    async def _call(self, name: str, arguments: dict[str, Any]) -> str:
        client = (await self._connected()).client
        try:
            result = await client.call_tool(name, arguments)
        except Exception as error:  # whatever a server sends, it is the server's fault
            raise self._failure(error) from error
        text = _text(result)
        if result.is_error:
            raise ToolError(text or f"{name} failed without a message.")
        return text

    async def _connected(self) -> Connection:
        async with self._opening:
            if self._is_closed:
                raise ToolError(f"The MCP server '{self.name}' was closed.")
            if self._connection is None or not self._connection.alive:
                if self._connection is not None:
                    await self._connection.aclose()
                self._connection = Connection(self._config)
                try:
                    await self._connection.opened(self._config.timeout)
                except Exception as error:  # whatever a server sends, it is the server's fault
                    raise self._failure(error) from error
            return self._connection

    def _failure(self, error: Exception) -> ToolError:
        """The error as a message that names the server."""
        _log.debug("MCP server %s", self.name, exc_info=error)
        if isinstance(error, TimeoutError):
            return ToolError(f"The MCP server '{self.name}' did not answer within {self._config.timeout:g} s.")
        reason = self._connection.exit_reason() if self._connection is not None else ""
        while isinstance(error, ExceptionGroup):
            error = error.exceptions[0]
        lines = str(error).strip().splitlines() or [type(error).__name__]
        return ToolError(f"The MCP server '{self.name}' failed: {lines[0][:300]}{f' ({reason})' if reason else ''}.")

    async def aclose(self) -> None:
        """Close the connection and stop the server's process; it can't be used again."""
        self._is_closed = True
        if self._connection is not None:
            await self._connection.aclose()


def _text(result: CallToolResult) -> str:
    """A result as text; images and sounds are only named."""
    texts = [_block(block) for block in result.content]
    if not texts and result.structured_content is not None:
        return msgspec.json.encode(result.structured_content).decode()
    return "\n".join(texts)


def _block(block: Any) -> str:
    text = getattr(block, "text", None) or getattr(getattr(block, "resource", None), "text", None)
    if isinstance(text, str):
        return text
    where = getattr(block, "uri", None) or getattr(getattr(block, "resource", None), "uri", "")
    kind = getattr(block, "mime_type", None) or getattr(block, "type", "something")
    return f"[{kind} {where}: not shown]".replace(" :", ":")


async def close_all(servers: Iterable[McpServer]) -> None:
    """Stop all of them at once."""
    await asyncio.gather(*(server.aclose() for server in servers), return_exceptions=True)
