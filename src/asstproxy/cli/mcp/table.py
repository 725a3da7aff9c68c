"""The table of an MCP server from the options of `asst mcp add`."""

from __future__ import annotations

from collections.abc import Sequence

from ...core.errors import UsageError
from .importing import ServerTable

__all__ = ["server_table"]


def server_table(
    command: Sequence[str],
    url: str,
    env: Sequence[str],
    headers: Sequence[str],
    tools: Sequence[str],
    timeout: float | None,
) -> ServerTable:
    """The table `[mcp.NAME]`.

    Raises:
        UsageError: there is neither a command nor a URL, or both; or a pair isn't NAME=VALUE.
    """
    if bool(command) == bool(url):
        raise UsageError(
            "A server needs a command or a URL.", "For example: asst mcp add time -- uvx mcp-server-time, or --url URL"
        )
    table: ServerTable = {"url": url} if url else {"command": command[0]}
    if command[1:]:
        table["args"] = list(command[1:])
    if env:
        table["env"] = _pairs(env)
    if headers:
        table["headers"] = _pairs(headers)
    if tools:
        table["tools"] = list(tools)
    if timeout is not None:
        table["timeout"] = timeout
    return table


def _pairs(texts: Sequence[str]) -> dict[str, str]:
    pairs = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not name or not sign:
            raise UsageError(f'"{text}" isn\'t NAME=VALUE.')
        pairs[name] = value
    return pairs
