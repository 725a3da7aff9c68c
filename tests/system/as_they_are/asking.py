"""`asst` as a shell runs it, with one profile and folders of its own."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from forked import asst_command
from forked.asst_command import ASST

__all__ = ["ASST", "PROVIDERS", "asst", "environment", "profile_for", "save_profile"]

KEY = "sk-0123456789abcdef"
PROVIDERS: dict[str, dict[str, Any]] = {
    "gpt": {"provider": "gpt"},
    "local": {"provider": "local"},
    "chat": {"provider": "chat-completions"},
    "gemini": {"provider": "gemini"},
    "interactions": {"provider": "gemini", "api": "interactions"},
}
"""Every API that is asked over HTTP, with what its profile says of it."""


def profile_for(name: str, url: str, **options: Any) -> dict[str, Any]:
    """A profile for one of `PROVIDERS` at a server."""
    base = url + ("/v1beta" if "gemini" in PROVIDERS[name]["provider"] else "/v1")
    return {"model": "m", "api_key_env": "TEST_KEY", "base_url": base, **PROVIDERS[name], **options}


def environment(folder: Path, **variables: str) -> dict[str, str]:
    """Nothing of ours, and these variables."""
    own = {f"ASST_{kind.upper()}_DIR": str(folder / kind) for kind in ("config", "data", "cache")}
    return {**own, "PATH": os.environ["PATH"], "HOME": str(folder), "TEST_KEY": KEY, **variables}


def save_profile(folder: Path, profile: dict[str, Any]) -> None:
    """The only profile in a fresh config.toml; a table of settings is written as one."""
    table = {key: value for key, value in profile.items() if key != "settings"}
    lines = ["[profiles.p]", *(f"{key} = {json.dumps(value)}" for key, value in table.items())]
    if settings := profile.get("settings"):
        lines += ["[profiles.p.settings]", *(f"{key} = {value}" for key, value in settings.items())]
    (folder / "config").mkdir(exist_ok=True)
    (folder / "config" / "config.toml").write_text("\n".join([*lines, ""]))


def asst(folder: Path, profile: dict[str, Any], *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command with this profile."""
    save_profile(folder, profile)
    return asst_command.run(
        [ASST, *words],
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        cwd=folder,
        env=environment(folder, **variables),
    )
