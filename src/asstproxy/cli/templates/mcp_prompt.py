"""Prompts of the MCP servers of a profile: fetched for `-T server:prompt` and for `/server:prompt` in a chat, and listed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from ...config.profiles import Profile
from ...core.errors import NotSetUpError, UsageError
from ...core.near_names import did_you_mean
from ...core.warnings import warn_once
from ...tools.mcp_prompts import McpPrompt, find_prompt, get_prompt, list_prompts

if TYPE_CHECKING:
    from ...tools.mcp_servers import McpServer
    from ..conversation_setup import OpenConversation

__all__ = ["fetch_prompt", "mcp_server", "prompts_of"]


async def fetch_prompt(opened: OpenConversation, named: str, values: Mapping[str, str]) -> str:
    """The text of the prompt `server:prompt` with these values.

    Raises:
        UsageError: the server or the prompt is unknown, or a value is missing.
        ToolError: the server failed.
    """
    server_name, _, name = named.partition(":")
    async with mcp_server(opened.profile, server_name, opened) as server:
        prompt = await find_prompt(server, name)
        prompt.check(values)
        for line in prompt.unused(values):
            warn_once(line)
        return await get_prompt(server, prompt, values)


@asynccontextmanager
async def mcp_server(profile: Profile, name: str, opened: OpenConversation | None = None) -> AsyncIterator[McpServer]:
    """An MCP server of a profile: the one that runs for the open conversation, else one that runs meanwhile.

    Raises:
        UsageError: the profile has no such server.
        NotSetUpError: its configuration has an error.
    """
    running = opened.tools.toolbox if opened is not None else None
    if running is not None and name in running.server_names:
        yield running.server(name)
        return
    configured = profile.options.get("mcp")
    names = list(configured) if isinstance(configured, dict) else []
    if name not in names:
        known = f"It has: {', '.join(names)}." if names else "Add one: see docs/tools.md."
        raise UsageError(
            f"The profile '{profile.name}' has no MCP server '{name}'.", did_you_mean(name, names) or known
        )
    server = next(server for server in _servers(profile) if server.name == name)
    try:
        yield server
    finally:
        await server.aclose()


async def prompts_of(profile: Profile) -> tuple[list[McpPrompt], list[str]]:
    """The prompts of all MCP servers of a profile, and one line about each server that failed.

    Raises:
        NotSetUpError: the configuration of a server has an error.
    """
    import asyncio

    from ...tools import ToolError
    from ...tools.mcp_servers import close_all

    servers = _servers(profile)
    found: list[McpPrompt] = []
    failed: list[str] = []
    try:
        for answer in await asyncio.gather(*map(list_prompts, servers), return_exceptions=True):
            if isinstance(answer, ToolError):
                failed.append(str(answer))
            elif isinstance(answer, BaseException):
                raise answer
            else:
                found += answer
    finally:
        await close_all(servers)
    return found, failed


def _servers(profile: Profile) -> list[McpServer]:
    if not profile.options.get("mcp"):
        raise NotSetUpError(f"The profile '{profile.name}' has no MCP servers.")
    from ...tools.mcp_servers import configured_servers

    return configured_servers(profile)
