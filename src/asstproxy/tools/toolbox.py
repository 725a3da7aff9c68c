"""All tools of a conversation: those of the profile, those that a person named, and those of MCP servers."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..config.profiles import Profile
from ..core.errors import NotSetUpError, UsageError
from ..core.near_names import did_you_mean
from . import Tool, ToolError
from .loading import find_tools
from .runner import MAX_TOOLS

if TYPE_CHECKING:
    from .mcp_offer import Offer
    from .mcp_servers import McpServer

__all__ = ["Toolbox", "open_toolbox"]


class Toolbox:
    """`tools`, in the order in which they were named; `notices`: one line about each that is missing.

    MCP servers run until it is closed.
    """

    def __init__(self, tools: list[Tool], notices: list[str], servers: list[McpServer]) -> None:
        self.tools, self.notices, self._servers = tools, notices, servers

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
        if self._servers:
            from .mcp_servers import close_all

            await close_all(self._servers)


async def open_toolbox(profile: Profile | None = None, named: Iterable[str] = (), *, mcp: bool = True) -> Toolbox:
    """Load the tools of a profile and those that a person named (`-t`), and start the MCP servers of the profile.

    If a server doesn't start, there is a notice, and its tools are missing.

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
        return Toolbox(tools, [], [])
    from .mcp_offer import fit
    from .mcp_servers import close_all, configured_servers

    servers = configured_servers(profile)
    notices: list[str] = []
    offers: list[Offer] = []
    try:
        for answer in await asyncio.gather(*map(_tools_of, servers)):
            if isinstance(answer, ToolError):
                notices.append(f"{answer} Its tools are missing.")
            else:
                offers.append(answer)
        fitted, about = fit(tools, offers, MAX_TOOLS)
    except BaseException:
        await close_all(servers)
        raise
    return Toolbox(tools + fitted, notices + about, servers)


async def _tools_of(server: McpServer) -> Offer | ToolError:
    try:
        return await server.tools()
    except ToolError as error:
        return error
