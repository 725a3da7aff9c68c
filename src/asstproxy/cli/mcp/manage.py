"""`asst mcp`: the saved MCP servers. They are listed, added, imported, removed, and tried."""

from __future__ import annotations

import json
import shlex
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from ...config.credentials import forget_key, key_source, store_key
from ...config.edit_mcp import remove_server, save_servers, users_of
from ...config.paths import refuse_device
from ...config.profiles import Profile, config_file, load_config
from ...core.errors import UsageError
from ...core.redact import redact
from ...text.figures import duration
from ...text.safe_text import clean_line
from ..fitted import fitted
from ..render.table import Column, table_lines
from ..sessions.listing import print_json
from .importing import ServerTable, parse_clients, stored_for, without_secrets

__all__ = ["add_server", "import_servers", "list_servers", "remove_a_server", "test_servers"]

_NAMED = 6
"""Tools that a test names."""


def list_servers(*, as_json: bool) -> None:
    """Print the saved servers and those of single profiles. In a pipe: fields with tabs between them, no header."""
    config = load_config()
    rows = [(name, table, users_of(config, name)) for name, table in config.mcp.items()]
    for profile, values in config.tables.items():
        own = values.get("mcp")
        for name, table in own.items() if isinstance(own, dict) else ():
            if isinstance(table, dict):
                rows.append((name, table, [profile]))
    if as_json:
        print_json({"name": name, "runs": _runs(table), "profiles": users} for name, table, users in rows)
        return
    cells = [
        [clean_line(cell) for cell in (name, ", ".join(users) or "–", _runs(table))] for name, table, users in rows
    ]
    if not cells:
        sys.stderr.write(
            fitted("No MCP servers. To add one: asst mcp add NAME -- COMMAND …, or asst mcp import FILE\n")
        )
    elif sys.stdout.isatty():
        for line in table_lines((Column("Server"), Column("Profiles"), Column("Runs")), cells):
            sys.stdout.write(f"{line}\n")
    else:
        sys.stdout.writelines("\t".join(row) + "\n" for row in cells)


def _runs(table: Mapping[str, Any]) -> str:
    """The command line, or the URL."""
    args = table.get("args")
    words = [str(table.get("command", "")), *(map(str, args) if isinstance(args, list) else ())]
    return redact(str(table.get("url") or shlex.join(words)))


def add_server(name: str, table: ServerTable, profiles: Sequence[str], *, alone: bool) -> None:
    """Save a server, and let these profiles, or else the default one, have its tools.

    Raises:
        UsageError: the name is taken or invalid.
        NotSetUpError: the file can't be changed.
    """
    if name in load_config().mcp:
        raise UsageError(f'An MCP server "{name}" is saved already.', f"Remove it first: asst mcp remove {name}")
    _save({name: table}, profiles, alone=alone)


def import_servers(source: str, profiles: Sequence[str], *, alone: bool) -> None:
    """Save the servers of a desktop client's JSON file; those that are saved already are left as they are.

    Raises:
        UsageError: the file can't be read, or has no servers.
        NotSetUpError: the file of asst can't be changed.
    """
    if source == "-":
        text = sys.stdin.read()
    else:
        try:
            text = refuse_device(Path(source)).read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{source} can't be read: {getattr(error, 'strerror', '') or 'it is not text'}.") from None
    found, saved = parse_clients(text), load_config().mcp
    for line in found.left_out:
        sys.stderr.write(f"Left out: {clean_line(line)}\n")
    for name in [name for name in found.servers if name in saved]:
        sys.stderr.write(f"Left out: {clean_line(name)}: it is saved already.\n")
        del found.servers[name]
    if found.servers:
        _save(found.servers, profiles, alone=alone)


def _save(servers: Mapping[str, ServerTable], profiles: Sequence[str], *, alone: bool) -> None:
    config = load_config()
    if not profiles and not alone and config.default:
        profiles = [config.default]
    tables, secrets = dict[str, ServerTable](), dict[str, str]()
    for name, table in servers.items():
        tables[name], hidden = without_secrets(name, table)
        secrets |= hidden
    change = save_servers(tables, profiles)
    for variable, key in secrets.items():
        store_key(variable, key)
    change.write()
    for name in tables:
        where = f"for {', '.join(profiles)}" if profiles else "for no profile yet"
        sys.stdout.write(f"Saved {name}: {clean_line(_runs(tables[name]))} · {where}\n")
    if secrets:
        sys.stdout.write(f"In credentials.toml (0600): {', '.join(secrets)}\n")
    if not profiles:
        listed = json.dumps([*tables], ensure_ascii=False)
        sys.stdout.write(
            f"To use {'it' if len(tables) == 1 else 'them'} in a profile, add to its table: mcp = {listed} (asst setup edit)\n"
        )
    sys.stdout.write(f"Try it: asst mcp test {' '.join(tables)}\n")


def remove_a_server(name: str, *, yes: bool) -> None:
    """Remove a saved server, its name from the profiles, and the keys that were stored for it.

    Raises:
        UsageError: it isn't saved.
        NotSetUpError: the file can't be changed.
    """
    config = load_config()
    users, keys = users_of(config, name), stored_for(name, config.mcp.get(name, {}))
    change = remove_server(name)
    if users and not yes and sys.stdin.isatty():
        question = f"{name} is used by {', '.join(users)}. Remove it?"
        if not typer.confirm(question, default=False, err=True):
            raise typer.Abort
    change.write()
    text = config_file().read_text(encoding="utf-8")
    keys = [key for key in keys if f"${{{key}}}" not in text and key_source(key) == "credentials.toml"]
    for key in keys:
        forget_key(key)
    also = f", and {', '.join(keys)} from credentials.toml" if keys else ""
    sys.stdout.write(f"Removed {clean_line(name)}{also}.\n")


async def test_servers(names: Sequence[str], profile: str) -> int:
    """Start these servers, or all of the profile or all that are saved, and list their tools: 0, or 1 if one fails.

    Raises:
        UsageError: a name isn't saved.
        NotSetUpError: a server's table has an error, or the package `mcp` is missing.
    """
    config = load_config()
    known: Mapping[str, Any] = config.profile(profile).options.get("mcp") or {} if profile else config.mcp
    for name in names:
        if name not in known:
            where = f"Saved: {', '.join(known)}." if known else f"To add it: asst mcp add {name} -- COMMAND …"
            raise UsageError(f'No MCP server "{name}".', where)
    chosen = {name: known[name] for name in names or known}
    if not chosen:
        raise UsageError("No MCP servers to test.", "To add one: asst mcp add NAME -- COMMAND …")
    from ...tools.toolbox import start_toolbox

    began = time.monotonic()
    box = start_toolbox(Profile(profile or "asst mcp test", "none", options={"mcp": chosen}))
    width, failed = max(map(len, chosen)), 0
    try:
        async for state in box.as_started():
            took = duration(time.monotonic() - began)
            if state.phase == "failed":
                failed += 1
                sys.stdout.write(f"✗ {clean_line(state.name):<{width}}  {clean_line(state.error)}\n")
                continue
            tools = [tool.name for tool in box.tools if tool.source == f"mcp:{state.name}"]
            more = f", … {len(tools) - _NAMED} more" if len(tools) > _NAMED else ""
            what = f"{state.tools} tool{'' if state.tools == 1 else 's'}"
            listed = f": {', '.join(tools[:_NAMED])}{more}" if tools else ""
            sys.stdout.write(f"✓ {clean_line(state.name):<{width}}  {what} in {took}{clean_line(listed)}\n")
            sys.stdout.flush()
        for notice in box.notices:
            if not any(notice.startswith(state.error) for state in box.states if state.error):
                sys.stdout.write(f"! {clean_line(notice)}\n")
    finally:
        await box.aclose()
    return 1 if failed else 0
