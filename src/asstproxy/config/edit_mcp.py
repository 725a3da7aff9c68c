"""Changing the saved MCP servers: the tables `[mcp.NAME]` of the user's file, and the profiles that name them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..core.errors import UsageError
from .edit import Change, check_name, make_change
from .profiles import Config, load_config

__all__ = ["remove_server", "save_servers", "users_of"]


def save_servers(servers: Mapping[str, Mapping[str, Any]], profiles: Iterable[str]) -> Change:
    """Save these servers, in place of those of their names, and let the profiles name them.

    Raises:
        UsageError: a name is invalid.
        NotSetUpError: a profile doesn't exist, or the file has an error.
    """
    profiles, config = list(profiles), load_config()
    for name in servers:
        check_name(name)
    for profile in profiles:
        config.profile(profile)

    def change(document: Any, table: Callable[[], Any], written: Callable[[Any], Any]) -> None:
        saved = document.setdefault("mcp", table())
        for name, values in servers.items():
            if name in saved:
                del saved[name]
            one = table()
            for key, value in values.items():
                one[key] = written(value)
            saved[name] = one
        for profile in profiles:
            own = document.setdefault("profiles", table()).setdefault(profile, table())
            named = own.get("mcp")
            if isinstance(named, dict):  # it has servers of its own
                for name in servers:
                    if name not in named:
                        named[name] = True
            else:
                known = list(named or ())
                own["mcp"] = written([*known, *(name for name in servers if name not in known)])

    return make_change(change, _about(servers, profiles))


def remove_server(name: str) -> Change:
    """Remove a saved server, and its name from every profile.

    Raises:
        UsageError: it isn't saved.
        NotSetUpError: the file has an error.
    """
    config = load_config()
    if name not in config.mcp:
        raise UsageError(
            f'No MCP server "{name}" is saved.', f"Saved: {', '.join(config.mcp)}." if config.mcp else "None is saved."
        )
    profiles = users_of(config, name)

    def change(document: Any, table: Callable[[], Any], written: Callable[[Any], Any]) -> None:  # noqa: ARG001
        del document["mcp"][name]
        if not document["mcp"]:
            del document["mcp"]
        for profile in profiles:
            own = document["profiles"][profile]
            if isinstance(own["mcp"], dict):
                del own["mcp"][name]
            else:
                own["mcp"] = written([one for one in own["mcp"] if one != name])
            if not own["mcp"]:
                del own["mcp"]

    return make_change(change, _about([name], profiles))


def users_of(config: Config, name: str) -> list[str]:
    """The profiles that name a saved server."""
    found = []
    for profile, values in config.tables.items():
        named = values.get("mcp")
        if (isinstance(named, list) and name in named) or (isinstance(named, dict) and named.get(name) is True):
            found.append(profile)
    return found


def _about(servers: Iterable[str], profiles: Iterable[str]) -> Callable[[dict[str, Any]], object]:
    servers, profiles = list(servers), list(profiles)
    return lambda file: (
        [file.get("mcp", {}).get(name) for name in servers],
        [file.get("profiles", {}).get(profile, {}).get("mcp") for profile in profiles],
    )
