"""`asst setup` without a name: which assistant? The providers of asst, the vendors that people ask for most, and a search."""

from __future__ import annotations

import shutil
import sys

from ...config.credentials import key_source
from ...config.profiles import load_config
from ...config.provider_info import ProviderInfo
from ...config.vendors import COMMON, VENDORS
from ...core.errors import UsageError
from ...providers.registry import provider_info, provider_names
from .profile_draft import require_writable_config
from .prompts import choose, say

__all__ = ["choose_provider"]

MORE = "More vendors: type a part of a name, or ? for all."


def choose_provider() -> str:
    """Ask which provider or vendor to set up.

    Raises:
        UsageError: stdin or stdout is not a terminal.
    """
    if not sys.stdin.isatty():
        raise UsageError("No terminal to ask on.", f"Run: asst setup NAME, one of: {', '.join(provider_names())}")
    require_writable_config()
    config = load_config()
    for name in config.tables:
        say(f"Already set up: {name}{' (default)' if name == config.default else ''}.")
    say("Which assistant do you want?")
    infos = {name: provider_info(name) for name in provider_names()}
    ready = next((name for name, info in infos.items() if _found(info)), "")
    keyless = next((name for name, info in infos.items() if not info.key_variables), "")
    vendors = {name: vendor.info for name, vendor in VENDORS.items()}
    with_key = {name: info for name, info in vendors.items() if _found(info)}
    shown = infos | with_key
    shown |= {name: vendors[name] for name in COMMON[: _rows_left(shown)]}
    return _choose(shown, infos | vendors, ready or keyless)


def _choose(shown: dict[str, ProviderInfo], known: dict[str, ProviderInfo], default: str) -> str:
    """One of those that are known; other text searches among them."""
    while True:
        if len(shown) < len(known):
            say(MORE)
        chosen = choose("Assistant", [(name, _about(info)) for name, info in shown.items()], default, free=True)
        if chosen in known:
            return chosen
        found = {name: info for name, info in known.items() if chosen.lower() in f"{name} {info.title}".lower()}
        shown = known if chosen == "?" else found or shown
        default = default if default in shown else ""
        if not found and chosen != "?":
            say("  No vendor has that name. For any other server: chat-completions")  # it may be a key: not repeated


def _rows_left(shown: dict[str, ProviderInfo]) -> int:
    """How many more there is room for, so that the question above the list stays on the screen."""
    columns, rows = shutil.get_terminal_size()
    taken = 9 + max(map(len, shown))  # mark, number, name
    used = sum(-(-len(_about(info)) // max(columns - taken, 1)) for info in shown.values())
    return max(rows - used - 4, 0)  # the question, how to find more, the prompt; one row to spare


def _found(info: ProviderInfo) -> str:
    return next(filter(key_source, info.key_variables), "")


def _about(info: ProviderInfo) -> str:
    return f"{info.title} ({variable} is set)" if (variable := _found(info)) else info.title
