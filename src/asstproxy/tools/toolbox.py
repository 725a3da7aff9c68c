"""All tools of a conversation: those of the profile, those that a person named, and those of MCP servers."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Literal

from ..config.profiles import Profile
from ..core.errors import NotSetUpError, UsageError
from ..core.near_names import did_you_mean
from . import Tool, ToolError
from .loading import find_tools
from .runner import MAX_TOOLS

if TYPE_CHECKING:
    from .mcp_offer import Offer
    from .mcp_servers import McpServer

__all__ = ["ServerState", "Toolbox", "open_toolbox", "start_toolbox"]


@dataclass(slots=True)
class ServerState:
    """How an MCP server stands: `tools` is how many it offers once it is ready, `error` why it failed."""

    name: str
    phase: Literal["starting", "ready", "failed"] = "starting"
    tools: int = 0
    error: str = ""


class Toolbox:
    """`tools`, in the order in which they were named; `notices`: one line about each that is missing.

    MCP servers start when it is made, and run until it is closed: until one is ready, its tools are missing without a notice.
    """

    def __init__(self, own: list[Tool], servers: Sequence[McpServer] = ()) -> None:
        self.tools, self.notices = own, list[str]()
        self.states = [ServerState(server.name) for server in servers]
        """One for each MCP server, in the order of the profile."""
        self.on_change: Callable[[], object] = lambda: None
        """Called when a server is ready or has failed."""
        self._own, self._servers = own, servers
        self._offers: dict[str, Offer] = {}
        pairs = zip(servers, self.states, strict=True)
        self._starts = [asyncio.create_task(self._start(server, state)) for server, state in pairs]

    @property
    def is_starting(self) -> bool:
        """Whether an MCP server is neither ready nor failed."""
        return not all(start.done() for start in self._starts)

    async def started(self, within: float | None = None) -> None:
        """Wait until every server is ready or has failed, at most so many seconds."""
        if self._starts:
            await asyncio.wait(self._starts, timeout=within)
        for start in self._starts:
            if start.done():
                start.result()

    async def as_started(self) -> AsyncGenerator[ServerState]:
        """The state of each server, as soon as it is ready or has failed."""
        waiting = dict(zip(self._starts, self.states, strict=True))
        while waiting:
            done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for start in [start for start in waiting if start in done]:
                start.result()
                yield waiting.pop(start)

    async def _start(self, server: McpServer, state: ServerState) -> None:
        from .mcp_offer import fit

        try:
            await asyncio.to_thread(import_module, "mcp")  # takes a while, in which the prompt should answer to keys
            self._offers[server.name] = offer = await server.tools()
        except ToolError as error:
            state.phase, state.error = "failed", str(error)
        else:
            state.phase, state.tools = "ready", len(offer.tools)
        offers = [self._offers[one.name] for one in self._servers if one.name in self._offers]
        fitted, about = fit(self._own, offers, MAX_TOOLS)
        failed = [f"{one.error} Its tools are missing." for one in self.states if one.phase == "failed"]
        self.tools, self.notices = self._own + fitted, failed + about
        self.on_change()

    def tool(self, name: str) -> Tool:
        """The tool with this name.

        Raises:
            UsageError: there is none.
        """
        for tool in self.tools:
            if tool.name == name:
                return tool
        near = difflib.get_close_matches(name, [tool.name for tool in self.tools], n=1)
        if near:
            raise UsageError(f"No such tool: '{name}'.", f"Did you mean '{near[0]}'?")
        raise UsageError(f"No such tool: '{name}'.", code="tool_unknown")

    @property
    def server_names(self) -> list[str]:
        """The MCP servers, by their names in the profile."""
        return [server.name for server in self._servers]

    def server(self, name: str) -> McpServer:
        """The MCP server with this name.

        Raises:
            UsageError: there is none.
        """
        for server in self._servers:
            if server.name == name:
                return server
        known = f"Known: {', '.join(self.server_names)}." if self._servers else "The profile has none."
        raise UsageError(f"No such MCP server: '{name}'.", did_you_mean(name, self.server_names) or known)

    async def aclose(self) -> None:
        """Stop the MCP servers, all at once, within two seconds."""
        for start in self._starts:
            start.cancel()
        await asyncio.gather(*self._starts, return_exceptions=True)
        if self._servers:
            from .mcp_servers import close_all

            await close_all(self._servers)


async def open_toolbox(profile: Profile | None = None, named: Iterable[str] = (), *, mcp: bool = True) -> Toolbox:
    """Load the tools of a profile and those that a person named (`-t`), and wait for the MCP servers of the profile.

    If a server doesn't start, there is a notice, and its tools are missing.

    Raises:
        UsageError: a name that the person gave stands for no tool.
        NotSetUpError: a name in the profile stands for no tool, or the profile has an error.
    """
    box = start_toolbox(profile, named, mcp=mcp)
    try:
        await box.started()
    except BaseException:
        await box.aclose()
        raise
    return box


def start_toolbox(profile: Profile | None = None, named: Iterable[str] = (), *, mcp: bool = True) -> Toolbox:
    """The same without waiting: the tools of MCP servers come in when these are ready (`Toolbox.started`).

    Raises:
        UsageError: a name that the person gave stands for no tool.
        NotSetUpError: a name in the profile stands for no tool, or the profile has an error.
    """
    tools: list[Tool] = []
    if profile is not None and profile.tools:
        try:
            tools += find_tools(profile.tools, here=False)  # a file in the current folder is not what was meant
        except UsageError as error:
            raise NotSetUpError(
                f"profiles.{profile.name}.tools: {error}", error.hint, code=error.code, data=error.data
            ) from error
    known = {tool.source for tool in tools}
    tools += [tool for tool in find_tools(named) if tool.source not in known]
    if profile is None or not mcp or "mcp" not in profile.options:
        return Toolbox(tools)
    from .mcp_servers import configured_servers

    return Toolbox(tools, configured_servers(profile))
