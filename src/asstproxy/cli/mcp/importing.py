"""MCP servers in the JSON of desktop clients (`mcpServers`), as tables of our file. Secrets go into `credentials.toml`.

Formats: Claude Desktop, Claude Code and Cursor (https://modelcontextprotocol.io/docs/develop/connect-local-servers), VS Code
(https://code.visualstudio.com/docs/copilot/reference/mcp-configuration), Gemini CLI (`httpUrl`), Windsurf (`serverUrl`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...core.errors import UsageError

__all__ = ["FoundServers", "ServerTable", "parse_clients", "stored_for", "without_secrets"]

ServerTable = dict[str, Any]
"""A table `[mcp.NAME]`."""
_KEYS = ("mcpServers", "servers", "context_servers", "mcp")
_URLS = ("url", "httpUrl", "serverUrl")
_SECRET = re.compile(r"key|token|secret|password|passwd|authorization|auth|credential", re.IGNORECASE)
_CLIENT_VARIABLE = re.compile(r"\$\{(?:env:)?(\w+)(?::-[^}]*)?\}")
_SCHEME = re.compile(r"(?P<scheme>Bearer|Basic|Token)\s+(?P<key>\S+)", re.IGNORECASE)
_VARIABLE = re.compile(r"\$\{\w+\}")


@dataclass(slots=True)
class FoundServers:
    """What a file has: the servers by their names, and a line about each that can't be used."""

    servers: dict[str, ServerTable] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)


def parse_clients(text: str) -> FoundServers:
    """The servers in the JSON of a client.

    Raises:
        UsageError: it isn't JSON, or has no servers.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError("This isn't JSON.", str(error)[:120]) from None
    listed = next((document[key] for key in _KEYS if isinstance(document, dict) and document.get(key)), document)
    if isinstance(listed, dict) and isinstance(listed.get("servers"), dict):
        listed = listed["servers"]
    found = FoundServers()
    for key, server in listed.items() if isinstance(listed, dict) else ():
        if not isinstance(server, dict) or not ("command" in server or any(key in server for key in _URLS)):
            continue
        name = re.sub(r"[^\w.-]+", "-", str(key)).strip("-.") or "server"
        if server.get("type") == "sse":
            found.left_out.append(
                f"{name}: it speaks SSE, which MCP has replaced. Ask its maker for a URL of streamable HTTP."
            )
        elif server.get("disabled") is True:
            found.left_out.append(f"{name}: it is disabled there.")
        else:
            found.servers[name] = _table(server)
    if not found.servers and not found.left_out:
        raise UsageError("No MCP servers in it.", 'asst reads what desktop clients write: {"mcpServers": {…}}')
    return found


def _table(server: Mapping[str, Any]) -> ServerTable:
    table: ServerTable = {}
    if command := server.get("command"):
        words = command if isinstance(command, list) else [command, *_list(server.get("args"))]
        table["command"] = _text(words[0])
        if words[1:]:
            table["args"] = [_text(word) for word in words[1:]]
        if isinstance(server.get("cwd"), str):
            table["cwd"] = server["cwd"]
    else:
        table["url"] = _text(next(server[key] for key in _URLS if key in server))
    for key in ("env", "headers"):
        values = server.get(key)
        if isinstance(values, dict) and values:
            table[key] = {str(name): _text(value) for name, value in values.items() if value is not None}
    return table


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return _CLIENT_VARIABLE.sub(
        lambda found: f"${{{found[1]}}}", value if isinstance(value, str) else json.dumps(value)
    )


def without_secrets(name: str, table: ServerTable) -> tuple[ServerTable, dict[str, str]]:
    """The table with `${NAME}` in place of secrets in `env` and `headers`, and those secrets by their names."""
    cleaned, secrets = dict(table), dict[str, str]()
    for key in ("env", "headers"):
        if key in table:
            cleaned[key] = {one: _hidden(name, one, value, secrets) for one, value in table[key].items()}
    return cleaned, secrets


def stored_for(server: str, table: ServerTable) -> list[str]:
    """The names under which `without_secrets` stored secrets of this server, as far as its table refers to them."""
    found = []
    for key in ("env", "headers"):
        values = table.get(key)
        for name, value in values.items() if isinstance(values, dict) else ():
            if f"${{{_variable(server, name)}}}" in str(value):
                found.append(_variable(server, name))
    return found


def _variable(server: str, name: str) -> str:
    return re.sub(r"\W", "_", f"{server}_{name}").upper()


def _hidden(server: str, name: str, value: str, secrets: dict[str, str]) -> str:
    if not _SECRET.search(name) or not value or _VARIABLE.search(value):
        return value
    scheme = _SCHEME.fullmatch(value)
    key = scheme["key"] if scheme else value
    if " " in key or not key.isascii() or not key.isprintable():
        return value  # not a key
    variable = _variable(server, name)
    secrets[variable] = key
    return f"{scheme['scheme']} ${{{variable}}}" if scheme else f"${{{variable}}}"
