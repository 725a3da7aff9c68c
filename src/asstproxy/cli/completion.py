"""What the shell offers after Tab. No SDK, no provider and no parser of ours is imported: names are read from files.

A completion never complains: whatever cannot be read offers nothing. And it is evaluated by the shell (zsh does it
twice), so that names and titles come without anything that a shell could act on.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from typing import Any

import typer

from ..config.paths import cache_dir, config_dir, data_dir

__all__ = ["models", "presets", "profiles", "sessions", "tools"]

BUILT_IN = ("gpt", "gemini", "local")
NEWEST = 40
KNOWN_MODELS = {  # before the provider was asked once; `asst setup` keeps what it answered
    "gpt": ("gpt-6-luna", "gpt-6.1-terra", "gpt-6.2-sol", "gpt-6.2-astra"),
    "gemini": ("gemini-3.5-flash-lite", "gemini-3.8-flash", "gemini-4-hydrogen", "gemini-4-carbon"),
}
_NAME = re.compile(r"[\w./:@+~-]+")
_UNSAFE = re.compile(r"[^\w .,:!?/+@%#-]")
Offers = list[tuple[str, str]]


def profiles(incomplete: str) -> Offers:
    """The profiles, with who answers there."""
    tables = _config().get("profiles") or {}
    found = {name: name for name in BUILT_IN} | {
        name: " ".join(filter(None, (str(table.get("provider", name)), str(table.get("model", "")))))
        for name, table in tables.items()
        if isinstance(table, dict)
    }
    return _fitting(incomplete, found.items())


def models(context: typer.Context, incomplete: str) -> Offers:
    """The models of the provider that is meant: by the command, by `-p`, or by default."""
    config = _config()
    tables = config.get("profiles") or {}
    name = context.params.get("profile") or os.environ.get("ASST_PROFILE") or config.get("default") or ""
    provider = str((tables.get(name) or {}).get("provider") or name)
    if context.info_name in BUILT_IN:
        provider = str(context.info_name)
    providers = [provider] if provider else list(BUILT_IN)
    found = [(model, one) for one in providers for model in _models(one)]
    for one, table in tables.items():
        if isinstance(table, dict) and table.get("model") and table.get("provider", one) in providers:
            found.append((str(table["model"]), f"as in {one}"))
    return _fitting(incomplete, dict(found).items())


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
                    return _fitting("", found)
    return _fitting("", found)


def tools(incomplete: str) -> Offers:
    """The tools that come with asst, those that profiles use, and the Python files of this folder."""
    found = {"stocks": "comes with asst"}
    for name, table in (_config().get("profiles") or {}).items():
        for tool in (table.get("tools") or ()) if isinstance(table, dict) else ():
            found.setdefault(str(tool), f"as in {name}")
    for name in sorted(_names(".")):
        if name.endswith(".py") and not name.startswith("_"):
            found.setdefault(f"./{name}", "file")
    return _fitting(incomplete, found.items())


def presets(incomplete: str) -> Offers:
    """The presets of `asst setup`."""
    return _fitting(incomplete, {"brief": "short answers", "stocks": "share prices, with functions"}.items())


def _fitting(incomplete: str, offers: Iterable[tuple[str, str]]) -> Offers:
    return [
        (name, _UNSAFE.sub("", " ".join(what.split())))
        for name, what in offers
        if name.startswith(incomplete) and _NAME.fullmatch(name)
    ]


def _config() -> dict[str, Any]:
    import tomllib

    try:
        values = tomllib.loads((config_dir() / "config.toml").read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(values.get("profiles", {}), dict):
        return {}
    return values


def _models(provider: str) -> Iterator[str]:
    import json

    try:
        kept = json.loads((cache_dir() / "models" / f"{provider}.json").read_bytes())
    except (OSError, ValueError):
        kept = None
    yield from (str(name) for name in kept) if isinstance(kept, list) else KNOWN_MODELS.get(provider, ())


def _title(transcript: Any) -> str:
    """The title in a transcript's head; the whole file may be long, and is not read."""
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


def _names(folder: Any) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []
