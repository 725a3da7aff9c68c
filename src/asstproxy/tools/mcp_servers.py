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
tools = ["search", "get_*"]             # those that are offered (default: all)
```

A server that died is restarted by the next call. The SDK (extra `mcp`) is imported when the first server is opened.
"""

from __future__ import annotations

import asyncio
import fnmatch
import json
import logging
import re
from collections.abc import Awaitable, Callable, Iterable
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from ..config.base_url import warn_of_plain_http
from ..config.profiles import Profile
from ..core.errors import AsstError, NotSetUpError
from ..core.redact import redact_logs, redacting_logger, register_named_secrets
from . import Tool, ToolError
from .arguments import parse
from .foreign_schema import declared_schema, portable_foreign
from .mcp_connection import Connection, McpConfig
from .mcp_offer import Offer, name_for
from .mcp_results import raw, result_text
from .portable_schema import MAX_DESCRIPTION

if TYPE_CHECKING:
    from mcp import Client

__all__ = ["McpServer", "close_all", "configured_servers"]

MAX_PAGES = 100
"""Pages of a server's list of tools that are read."""
MAX_DATA = 300
"""Characters of the data of an error that a message quotes."""

T = TypeVar("T")
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
        if not _is_installed("mcp"):  # not imported: that takes a while
            raise NotSetUpError(
                f"The profile '{profile.name}' has MCP servers, which need the package mcp.",
                "Run: pip install 'asstproxy[mcp]'.",
            )
        redact_logs()
        logging.getLogger("mcp").addHandler(logging.NullHandler())  # otherwise its warnings are printed on the screen
    return servers


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ValueError:  # disabled: sys.modules holds None for it
        return False


class McpServer:
    """A server and the connection to it. It is used and closed in one event loop."""

    def __init__(self, name: str, config: McpConfig) -> None:
        self.name, self._config = name, config
        self._connection: Connection | None = None
        self._opening = asyncio.Lock()
        self._output_schemas: dict[str, Any] = {}
        self._is_closed = False

    async def tools(self) -> Offer:
        """Its tools, each judged by itself.

        Raises:
            ToolError: the server can't be reached, or doesn't speak MCP.
        """
        offer = Offer(self.name)
        client = (await self._connected()).client
        seen: set[str] = set()
        cursor: str | None = None
        cursors: set[str | None] = set()
        try:
            async with asyncio.timeout(self._config.timeout):
                while cursor not in cursors and len(cursors) < MAX_PAGES:
                    cursors.add(cursor)
                    page = await client.list_tools(cursor=cursor)
                    for one in raw(page.meta) or ():
                        self._add(offer, one, seen)
                    cursor = page.next_cursor
        except Exception as error:  # whatever a server sends, it is the server's fault
            failure = self._failure(error)
            if not offer.tools:
                raise failure from error
            offer.cut = str(failure)
        else:
            if cursor not in cursors and cursor is not None:
                offer.cut = f"It has more than {MAX_PAGES} pages."
        for pattern in self._config.tools:
            if not fnmatch.filter(seen, pattern):
                offer.left_out.append((pattern, "the server has no such tool"))
        return offer

    def _add(self, offer: Offer, listed: Any, seen: set[str]) -> None:
        """Add a tool to the offer, or the reason why not. One that was on the list before is passed over."""
        name = listed.get("name") if isinstance(listed, dict) else None
        if not isinstance(name, str) or not name:
            offer.left_out.append(("?", "it has no name"))
            return
        patterns = self._config.tools
        if name in seen or (patterns and not any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)):
            return
        seen.add(name)
        execution = listed.get("execution")
        if isinstance(execution, dict) and execution.get("taskSupport") == "required":
            offer.left_out.append((name, "it runs as a task of the server only, which asst doesn't support"))
            return
        self._output_schemas[name] = listed.get("outputSchema")
        try:
            offer.tools.append((name, self._tool(name, listed)))
        except AsstError as error:
            offer.left_out.append((name, str(error)))

    def _tool(self, name: str, listed: dict[str, Any]) -> Tool:
        async def call(arguments: dict[str, Any]) -> str:
            return await self._call(name, arguments)

        words = (listed.get("description"), listed.get("title"))
        description = next((text for text in words if isinstance(text, str) and text.strip()), "")
        if len(description) > MAX_DESCRIPTION:
            description = description[: MAX_DESCRIPTION - 1] + "…"
        return Tool(
            name_for(self.name, name),
            description,
            portable_foreign(name, declared_schema(listed)),
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
        text, failed = result_text(raw(result.meta), self._output_schemas.get(name))
        if failed:
            raise ToolError(text or f"{name} failed without a message.")
        return text

    async def request(self, send: Callable[[Client], Awaitable[T]]) -> T:
        """What the server answers to a request.

        Raises:
            ToolError: the server can't be reached, or answers with an error.
        """
        client = (await self._connected()).client
        try:
            async with asyncio.timeout(self._config.timeout):
                return await send(client)
        except AsstError:
            raise
        except Exception as error:  # whatever a server sends, it is the server's fault
            raise self._failure(error) from error

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
        reasons: list[str] = []
        if self._connection is not None:
            reasons = [self._connection.exit_reason(), self._connection.first_other_line()]
        if isinstance(error, TimeoutError):
            reasons = reasons[1:]
            happened = f"did not answer within {self._config.timeout:g} s"
        else:
            while isinstance(error, ExceptionGroup):
                error = error.exceptions[0]
            words = (
                f"{error.filename}: {error.strerror}" if isinstance(error, OSError) and error.filename else str(error)
            )
            lines = words.strip().splitlines() or [type(error).__name__]
            happened = f"failed: {lines[0][:300].rstrip('.')}{_data(error)}".rstrip(".")
        why = "; ".join(reason for reason in reasons if reason and reason not in happened)
        return ToolError(f"The MCP server '{self.name}' {happened}{f' ({why})' if why else ''}.")

    async def aclose(self) -> None:
        """Close the connection and stop the server's process; it can't be used again."""
        self._is_closed = True
        if self._connection is not None:
            await self._connection.aclose()


def _data(error: BaseException) -> str:
    """What a JSON-RPC error says besides its message."""
    data = getattr(error, "data", None)
    if data in (None, "", {}, []):
        return ""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False, default=str)
    text = " ".join(text.split())
    return f": {text if len(text) <= MAX_DATA else text[: MAX_DATA - 1] + '…'}"


async def close_all(servers: Iterable[McpServer]) -> None:
    """Stop all of them at once."""
    await asyncio.gather(*(server.aclose() for server in servers), return_exceptions=True)
