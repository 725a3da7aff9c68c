"""`asst setup list|show|use|remove`: the profiles that there are. No provider is asked, and none is imported."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from ...config.credentials import forget_key, key_source
from ...config.edit import make_default, remove_profile
from ...config.profiles import Config, config_file, load_config
from ...config.provider_info import BUILT_IN
from ...core.codec import escape_controls
from ...core.errors import NotSetUpError
from ..hiding import hide
from .keys import ASSISTANTS, public
from .prompts import confirm, say

__all__ = ["is_used", "key_status", "list_profiles", "remove_a_profile", "show_profile", "use_profile"]


def list_profiles(*, as_json: bool) -> None:
    """Print every profile, the default one marked."""
    config = load_config()
    rows = [_row(config, name) for name in config.names]
    if as_json:
        _print_json(rows)
        return
    cells = [("", "profile", "provider", "model", "key", "tools")]
    for row in rows:
        mark, tools = "*" if row["default"] else "", " ".join(row["tools"])
        cells.append((mark, row["name"], row["provider"], row["model"] or "-", row["key"], tools))
    widths = [max(len(line[column]) for line in cells) for column in range(6)]
    for line in cells:
        _print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    say("* answers when no profile is named." if config.default else "There is no default: asst setup use NAME.")
    say(f"{config_file()}")


def show_profile(name: str, *, as_json: bool) -> None:
    """Print all that is known of a profile, but its key."""
    config = load_config()
    name = name or config.default
    if not name:
        raise NotSetUpError("There is no default profile.", "Run: asst setup, or name one: asst setup show gpt")
    row = _row(config, name)
    profile = config.profile(name)
    row |= {"instructions": profile.instructions, "settings": profile.settings, "options": _options(profile.options)}
    if as_json:
        _print_json(row)
        return
    for key, value in row.items():
        if value not in ("", [], {}, None):
            text = " ".join(value) if isinstance(value, list) else value
            text = json.dumps(text, ensure_ascii=False) if isinstance(text, dict) else text
            _print(f"{key:<13} {str(text).replace(chr(10), chr(10) + ' ' * 14)}")


def use_profile(name: str) -> None:
    """Make a profile the default one."""
    change = make_default(name)
    change.write()
    say(f"'{name}' answers when no profile is named." if change else f"'{name}' is the default already.")


def remove_a_profile(name: str, *, key: bool, yes: bool) -> None:
    """Take a profile out of the file, and its key out of its place if that was said."""
    variable = key_status(load_config(), name)[0] if key else ""
    change = remove_profile(name)
    for line in change.diff:
        say(f"  {line}")
    if not yes and sys.stdin.isatty() and not confirm(f"Remove '{name}'?", default=False):
        raise NotSetUpError("Nothing was changed.")
    change.write()
    back = " It is again as asst brings it." if name in BUILT_IN else ""
    say(f"Removed '{name}'.{back}")
    if variable and key_source(variable) in ("credentials.toml", "keyring"):
        forget_key(variable)
        say(f"{variable} is forgotten.")


def key_status(config: Config, name: str) -> tuple[str, str]:
    """The variable of a profile's key, and where the key is: a place, `missing`, or `not needed`."""
    table = config.tables.get(name, {})
    provider = str(table.get("provider") or name)
    variable = str(table.get("api_key_env") or "")
    about = ASSISTANTS.get(provider)
    if not variable and provider == "gemini" and _project(table):
        return "", "not needed"
    if not variable and about:
        usual = about.variables
        variable = next((one for one in usual if key_source(one)), usual[-1] if usual else "")
    return (variable, key_source(variable) or "missing") if variable else ("", "not needed")


def is_used(config: Config, name: str) -> bool:
    """Whether somebody set this profile up, or put a key for it into the environment."""
    return name in config.tables or key_status(config, name)[1] not in ("missing", "not needed")


def _project(table: dict[str, Any]) -> bool:
    """Whether Google is asked with the login of this machine."""
    if table.get("vertex") is not None or table.get("project"):
        return table.get("vertex") is not False
    said = os.environ.get("GOOGLE_GENAI_USE_ENTERPRISE") or os.environ.get("GOOGLE_GENAI_USE_VERTEXAI") or ""
    return said.strip().lower() in ("true", "1")


def _row(config: Config, name: str) -> dict[str, Any]:
    profile = config.profile(name)
    variable, place = key_status(config, name)
    return {
        "name": name,
        "default": name == config.default,
        "provider": profile.provider,
        "model": profile.model,
        "key": place,
        "key_variable": variable,
        "tools": list(profile.tools),
        "set_up": name in config.tables,
    }


def _options(options: dict[str, Any]) -> dict[str, Any]:
    address = options.get("base_url")
    return options | ({"base_url": public(address)} if isinstance(address, str) else {})


def _print_json(value: object) -> None:
    _print(escape_controls(json.dumps(value, indent=2, ensure_ascii=False, default=str).encode()).decode())


def _print(line: str) -> None:
    from ..render.safe_text import clean

    sys.stdout.write(hide(clean(line)) + "\n")
