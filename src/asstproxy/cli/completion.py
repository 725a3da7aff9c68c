"""What the shell offers after Tab. No SDK, no provider and no parser of ours is imported: names are read from files.

A completion never complains: whatever can't be read offers nothing. The shell evaluates what it gets (zsh does so twice),
so names and titles come without any character that a shell would act on.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import typer

from ..config.paths import cache_dir, config_dir, data_dir
from ..config.provider_info import BUILT_IN

__all__ = [
    "mcp_servers",
    "models",
    "presets",
    "profiles",
    "provider_models",
    "provider_settings",
    "sessions",
    "settings",
    "templates",
    "tools",
    "vendors",
]

NEWEST = 40
_NAME = re.compile(r"[\w./:@+~-]+=?")
_UNSAFE = re.compile(r"[^\w .,:!?/+@%#-]")
Offers = list[tuple[str, str]]


def profiles(incomplete: str) -> Offers:
    """The profiles, with their providers and models."""
    found = {name: name for name in BUILT_IN}
    for name, table in _profiles().items():
        found[name] = " ".join(filter(None, (str(table.get("provider", name)), str(table.get("model", "")))))
    return _matching(incomplete, found) + [offer for offer in vendors(incomplete) if offer[0] not in found]


def vendors(incomplete: str) -> Offers:
    """The vendors that match; before anything is typed, those whose key is in the environment."""
    from ..config.vendors import VENDORS

    keys = {name: vendor.info.key_variables for name, vendor in VENDORS.items()}
    found = {
        name: vendor.info.title
        for name, vendor in VENDORS.items()
        if incomplete or any(map(os.environ.get, keys[name]))
    }
    return _matching(incomplete, found)


def models(context: typer.Context, incomplete: str) -> Offers:
    """The models of the provider that is meant: by `asst setup NAME`, by `-p`, or by default."""
    tables = _profiles()
    if context.parent and context.parent.info_name == "setup":
        provider = str(context.info_name)
    else:
        name = context.params.get("profile") or os.environ.get("ASST_PROFILE") or _config().get("default") or ""
        provider = str(tables.get(str(name), {}).get("provider") or name)
    return provider_models(provider, incomplete)


def provider_models(provider: str, incomplete: str) -> Offers:
    """The models of a provider: those that it listed last, and those of profiles. Without one: of all that come with asst."""
    tables = _profiles()
    providers = [provider] if provider else list(BUILT_IN)
    found = {model: one for one in providers for model in _models(one)}
    for name, table in tables.items():
        if table.get("model") and table.get("provider", name) in providers:
            found[str(table["model"])] = f"as in {name}"
    return _matching(incomplete, found)


def settings(context: typer.Context, incomplete: str) -> Offers:
    """The settings of the provider that is meant by `-p`, or by default."""
    name = str(context.params.get("profile") or os.environ.get("ASST_PROFILE") or _config().get("default") or "")
    return provider_settings(str(_profiles().get(name, {}).get("provider") or name), incomplete)


def provider_settings(provider: str, incomplete: str) -> Offers:
    """The settings of a provider's API, each with its type."""
    from ..config.vendors import VENDORS

    info = BUILT_IN.get(provider) or (VENDORS[provider].info if provider in VENDORS else None)
    found: dict[str, str] = {f"{name}=": setting.kind for name, setting in info.settings.items()} if info else {}
    return _matching(incomplete, found)


def sessions(incomplete: str) -> Offers:
    """The newest sessions, with their titles."""
    wanted = incomplete.upper()
    found: Offers = []
    root = data_dir() / "sessions"
    for month in sorted(_names(root), reverse=True):
        for name in sorted(_names(root / month), reverse=True):
            if name.endswith(".jsonl") and name.startswith(wanted):
                typed = incomplete + name.removesuffix(".jsonl")[len(incomplete) :]  # case does not matter
                found.append((typed, _title(root / month / name.replace(".jsonl", ".json"))))
                if len(found) == NEWEST:
                    return _safe(found)
    return _safe(found)


def tools(incomplete: str) -> Offers:
    """The tools that come with asst, those that profiles use, and the Python files of this folder."""
    found = {"stocks": "comes with asst"}
    for name, table in _profiles().items():
        named = table.get("tools")
        for tool in named if isinstance(named, list) else ():
            found.setdefault(str(tool), f"as in {name}")
    for name in sorted(_names(Path())):
        if name.endswith(".py") and not name.startswith("_"):
            found.setdefault(f"./{name}", "file")
    return _matching(incomplete, found)


def templates(incomplete: str) -> Offers:
    """The user's templates, with their descriptions."""
    folder = config_dir() / "templates"
    found = {}
    for name in sorted(_names(folder)):
        if name.endswith(".md"):
            found[name.removesuffix(".md")] = _description(folder / name)
    return _matching(incomplete, found)


def mcp_servers(incomplete: str) -> Offers:
    """The saved MCP servers."""
    saved = _config().get("mcp")
    found = (
        {name: str(one.get("url") or one.get("command", "")) for name, one in saved.items()}
        if isinstance(saved, dict)
        else {}
    )
    return _matching(incomplete, found)


def presets(incomplete: str) -> Offers:
    """The presets of `asst setup`."""
    from .setup.instructions import PRESETS

    return _matching(incomplete, {name: preset.about for name, preset in PRESETS.items()})


def _matching(incomplete: str, offers: dict[str, str]) -> Offers:
    return _safe((name, what) for name, what in offers.items() if name.startswith(incomplete))


def _safe(offers: Iterable[tuple[str, str]]) -> Offers:
    return [(name, _UNSAFE.sub("", " ".join(what.split()))) for name, what in offers if _NAME.fullmatch(name)]


def _config() -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads((config_dir() / "config.toml").read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return {}


def _profiles() -> dict[str, dict[str, Any]]:
    tables = _config().get("profiles")
    return (
        {name: table for name, table in tables.items() if isinstance(table, dict)} if isinstance(tables, dict) else {}
    )


def _models(provider: str) -> Iterator[str]:
    """The models that `asst setup` saw last; before that, those of a built-in provider that are worth offering first."""
    import json

    try:
        cached = json.loads((cache_dir() / "models" / f"{provider}.json").read_bytes())
    except (OSError, ValueError):
        cached = None
    if isinstance(cached, list):
        yield from map(str, cached)
    elif provider in BUILT_IN:
        yield from BUILT_IN[provider].models


def _title(transcript: Path) -> str:
    """The title at the beginning of a transcript; the whole file may be long, and is not read."""
    import json

    try:
        with transcript.open("rb") as file:
            head = file.read(4096).decode(errors="replace")
    except OSError:
        return ""
    found = re.search(r'"title": ?("(?:[^"\\]|\\.)*")', head)
    try:
        return str(json.loads(found[1])) if found else ""
    except ValueError:
        return ""


def _description(template: Path) -> str:
    """The description in a template's front matter, without a parser: a plain one is in one line."""
    try:
        with template.open("rb") as file:
            head = file.read(4096).decode(errors="replace")
    except OSError:
        return ""
    found = re.search(r"^description:[ \t]*(\S.*)$", head.partition("\n---")[0], re.MULTILINE)
    return found[1].strip("'\"") if found and head.startswith("---") else ""


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []
