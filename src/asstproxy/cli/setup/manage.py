"""`asst setup list|show|use|remove|edit`: the profiles of the config file. No provider is asked."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from ...config.credentials import forget_key, key_source
from ...config.edit import Change, make_default, remove_profile
from ...config.profiles import Config, config_file, load_config
from ...config.provider_info import BUILT_IN
from ...core.codec import escape_controls
from ...core.errors import NotSetUpError
from ...core.redact import public_url, redact_settings
from ...providers.registry import vendors_with_key
from ..editor import edited
from ..standard_streams import write_json
from .keys import key_status
from .profile_draft import require_writable_config
from .prompts import confirm, say
from .remote import remote_id, withdraw

__all__ = ["edit_config", "list_profiles", "remove_a_profile", "show_profile", "use_profile"]

COLUMNS = ("", "Profile", "Provider", "Model", "Key", "Tools")
TEMPLATE = """\
# Profiles of asst. A profile is a saved assistant. See: asst setup --help
# default = "gpt"
#
# [profiles.work]
# provider = "gpt"
# model = "gpt-6-luna"
# instructions = "Answer briefly."
"""


def list_profiles(*, as_json: bool) -> None:
    """Print every profile, and the vendors whose key was found; the default is marked.

    Raises:
        NotSetUpError: a file has an error.
    """
    config = load_config()
    rows = [_row(config, name) for name in dict.fromkeys([*config.names, *vendors_with_key()])]
    if as_json:
        _print_json(rows)
        return
    cells = [COLUMNS]
    for row in rows:
        mark, tools = "*" if row["default"] else "", " ".join(row["tools"])
        cells.append((mark, row["name"], row["provider"], row["model"] or "-", row["key"], tools))
    widths = [max(len(line[column]) for line in cells) for column in range(len(COLUMNS))]
    for line in cells:
        _print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    say("* is the default profile." if config.default else "No default profile. Choose one: asst setup use NAME")
    say(str(config_file()))


def show_profile(name: str, *, as_json: bool) -> None:
    """Print everything about a profile except its key.

    Raises:
        NotSetUpError: the profile doesn't exist, or no default is set.
    """
    config = load_config()
    name = name or config.default
    if not name:
        raise NotSetUpError("No default profile is set.", "Run: asst setup, or name a profile: asst setup show gpt")
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
            text = {True: "yes", False: "no"}[text] if isinstance(text, bool) else text
            _print(f"{key:<13} {str(text).replace(chr(10), chr(10) + ' ' * 14)}")


def use_profile(name: str) -> None:
    """Make a profile the default.

    Raises:
        NotSetUpError: the profile doesn't exist.
    """
    change = make_default(name)
    change.write()
    say(f"{name} is {'now' if change else 'already'} the default profile.")


def remove_a_profile(name: str, *, key: bool, remote: bool, yes: bool) -> None:
    """Remove a profile from the file; with `key`, its saved key, too, and with `remote`, what asst created at its server.

    Raises:
        NotSetUpError: the file has no such profile, the removal was not confirmed, or the server refuses.
        UsageError: the profile has nothing at its server.
    """
    change = remove_profile(name)
    profile = load_config().profile(name)
    variable = key_status(profile).variable if key else ""
    for line in change.diff:
        say(f"  {line}")
    if not yes and sys.stdin.isatty() and not confirm(f"Remove the profile {name}?", default=False):
        raise NotSetUpError("Nothing was changed.")
    if remote:
        withdraw(profile)
    elif left := remote_id(profile):
        say(f"{left} stays at its server. To delete it, too: --remote")
    change.write()
    say(f"Removed the profile {name}.{' Its built-in defaults remain.' if name in BUILT_IN else ''}")
    place = key_source(variable) if variable else None
    if place in ("credentials.toml", "keyring"):
        forget_key(variable)
        say(f"Deleted {variable} from {'the keyring' if place == 'keyring' else place}.")


def edit_config() -> None:
    """Edit a copy of the file. Only a copy without an error replaces it; otherwise the editor opens again.

    Raises:
        NotSetUpError: no editor is found, or the text has an error.
    """
    path = config_file()
    require_writable_config()
    try:
        before = path.read_text(encoding="utf-8-sig") if path.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise NotSetUpError(f"Can't read {path}: {error}.") from None
    change = Change(path, before, edited(path, before or TEMPLATE, _validate))
    change.write()
    for line in change.diff:
        say(f"  {line}")
    say("Saved." if change else "No changes.")


def _validate(path: Path) -> None:
    """Every profile can be read, and the default exists."""
    from ...config.profiles import Table
    from ...config.toml import convert, line_of, read_toml

    config = convert(read_toml(path), Config, path)
    if config.default and config.default not in config.names:
        line = line_of(path, ("default",))
        raise NotSetUpError(f'{path}, line {line}: no such profile: "{config.default}", at default.')
    for name, table in config.tables.items():
        convert({"provider": name} | table, Table, path, ("profiles", name))


def _row(config: Config, name: str) -> dict[str, Any]:
    profile = config.profile(name)
    status = key_status(profile)
    return {
        "name": name,
        "default": name == config.default,
        "provider": profile.provider,
        "model": profile.model,
        "key": status.place,
        "key_variable": status.variable,
        "tools": list(profile.tools),
        "set_up": name in config.tables,
    }


def _options(options: dict[str, Any]) -> dict[str, Any]:
    url = options.get("base_url")
    return options | ({"base_url": public_url(url)} if isinstance(url, str) else {})


def _print_json(value: object) -> None:
    text = escape_controls(json.dumps(value, indent=2, ensure_ascii=False, default=str).encode()).decode()
    write_json((redact_settings(text) + "\n").encode())


def _print(line: str) -> None:
    from ...text.safe_text import clean

    sys.stdout.write(redact_settings(clean(line)) + "\n")
