"""MCP servers, as a profile names them: their tools become tools like any other.

```toml
[profiles.work.mcp.time]
command = "uvx"
args = ["mcp-server-time"]
env = { TOKEN = "${TIME_TOKEN}" }       # from the environment or credentials.toml

[profiles.work.mcp.wiki]
url = "https://wiki.example/mcp"        # streamable HTTP
headers = { Authorization = "Bearer ${WIKI_TOKEN}" }
timeout = 60                            # seconds for a call; 30 if left out
```

A server that died is started again by the next call. The SDK (extra `mcp`) is imported when the first one is opened.
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
"""Pages of a server's list of tools."""

_VARIABLE = re.compile(r"\$\{(\w+)\}")
_log = redacting_logger(__name__)


class _Options(msgspec.Struct):
    mcp: dict[str, McpConfig] = {}


def configured_servers(profile: Profile) -> list[McpServer]:
    """The servers that a profile names; none is started yet.

    Raises:
        NotSetUpError: the profile has an error there, a variable is not set, or the package `mcp` is missing.
    """
    servers = []
    for name, config in profile.read(_Options).mcp.items():
        if bool(config.command) == bool(config.url):
            raise NotSetUpError(
                f"profiles.{profile.name}.mcp.{name} needs a command or a url, and not both.", "Mend it."
            )

        def filled(values: dict[str, str]) -> dict[str, str]:
            return {key: _VARIABLE.sub(lambda m: profile.secret(m[1]), value) for key, value in values.items()}

        known = msgspec.structs.replace(config, env=filled(config.env), headers=filled(config.headers))
        register_named_secrets(known.env | known.headers)
        warn_of_plain_http(known.url, f"The MCP server '{name}'")
        servers.append(McpServer(name, known))
    if servers:
        try:
            import mcp  # noqa: F401
        except ImportError:
            raise NotSetUpError(
                f"The profile '{profile.name}' has MCP servers, which need the package mcp.",
                "Run: pip install 'asstproxy[mcp]'.",
            ) from None
        redact_logs()
        logging.getLogger("mcp").addHandler(logging.NullHandler())  # else its complaints land on the screen
    return servers


class McpServer:
    """A server and the connection to it. It is used in one event loop, and closed there."""

    def __init__(self, name: str, config: McpConfig) -> None:
        self.name, self._config = name, config
        self._connection: Connection | None = None
        self._opening = asyncio.Lock()
        self._is_closed = False

    async def tools(self) -> tuple[list[Tool], list[str]]:
        """Its tools, and a line about each that cannot be offered.

        Raises:
            ToolError: the server cannot be reached, or is none.
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
                            notices.append(f"MCP server '{self.name}': {error} It is left out.")
                    if not (cursor := page.next_cursor):
                        break
        except Exception as error:  # whatever such a server sends, it is its fault
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
            approval="ask",  # whatever it says about itself: its hints are not to be trusted
            timeout=self._config.timeout,
            source=f"mcp:{self.name}",
        )

    async def _call(self, name: str, arguments: dict[str, Any]) -> str:
        client = (await self._connected()).client
        try:
            result = await client.call_tool(name, arguments)
        except Exception as error:  # whatever such a server sends, it is its fault
            raise self._failure(error) from error
        text = _text(result)
        if result.is_error:
            raise ToolError(text or f"{name} failed without a word.")
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
                except Exception as error:  # whatever such a server sends, it is its fault
                    raise self._failure(error) from error
            return self._connection

    def _failure(self, error: Exception) -> ToolError:
        """What went wrong, with whose fault it is."""
        _log.debug("MCP server %s", self.name, exc_info=error)
        if isinstance(error, TimeoutError):
            return ToolError(f"The MCP server '{self.name}' did not answer within {self._config.timeout:g} s.")
        why = self._connection.why() if self._connection is not None else ""
        while isinstance(error, ExceptionGroup):
            error = error.exceptions[0]
        lines = str(error).strip().splitlines() or [type(error).__name__]
        return ToolError(f"The MCP server '{self.name}' failed: {lines[0][:300]}{f' ({why})' if why else ''}.")

    async def aclose(self) -> None:
        """End the connection, and the process behind it, for good."""
        self._is_closed = True
        if self._connection is not None:
            await self._connection.aclose()


def _text(result: CallToolResult) -> str:
    """What a result says, in words: pictures and sounds are only named."""
    said = [_block(block) for block in result.content]
    if not said and result.structured_content is not None:
        return msgspec.json.encode(result.structured_content).decode()
    return "\n".join(said)


def _block(block: Any) -> str:
    text = getattr(block, "text", None) or getattr(getattr(block, "resource", None), "text", None)
    if isinstance(text, str):
        return text
    where = getattr(block, "uri", None) or getattr(getattr(block, "resource", None), "uri", "")
    kind = getattr(block, "mime_type", None) or getattr(block, "type", "something")
    return f"[{kind} {where}: not shown]".replace(" :", ":")


async def close_all(servers: Iterable[McpServer]) -> None:
    """End all of them at once."""
    await asyncio.gather(*(server.aclose() for server in servers), return_exceptions=True)
