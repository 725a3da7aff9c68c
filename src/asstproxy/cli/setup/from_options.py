"""What setup starts from: the folder, the profile as it stands, and what the options say."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ...config.paths import config_dir
from ...config.profiles import Config
from ...core.errors import NotSetUpError, UsageError
from ...providers.transport.insecure_http import warn_of_plain_http
from .instructions import checked_tools, instructions_of, preset
from .keys import ASSISTANTS, public
from .profile_draft import Answers

__all__ = ["given", "table_of", "writable"]


def table_of(config: Config, name: str, assistant: str) -> dict[str, Any]:
    """The profile as it stands in the file."""
    if name in ASSISTANTS and name != assistant and name not in config.tables:
        raise UsageError(f"'{name}' is the name of another assistant.", "Choose another one with --name.")
    table = config.tables.get(name, {})
    if table and table.get("provider", name) != assistant:
        raise UsageError(
            f"The profile '{name}' is one of the provider {table.get('provider', name)}.",
            f"Choose another name, or first: asst setup remove {name}",
        )
    return table


def writable() -> None:
    """Say before the first question, rather than after the last, that nothing can be written.

    Raises:
        NotSetUpError: the config dir cannot be made or written.
    """
    folder = config_dir().absolute()
    place: Path = folder
    while not place.exists() and place != place.parent:
        place = place.parent
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        why = "Permission denied" if place.is_dir() else f"{place} is no folder"
        raise NotSetUpError(f"The config folder {folder} cannot be written: {why}.", "Set ASST_CONFIG_DIR to another.")


def given(assistant: str, answers: Answers) -> dict[str, Any]:
    """What the options say, as the profile's keys."""
    values: dict[str, Any] = {"provider": assistant}
    if answers.preset:
        chosen = preset(answers.preset)
        values["instructions"] = chosen.instructions
        if chosen.tools:
            values["tools"] = checked_tools(chosen.tools)
    if answers.system is not None:
        values["instructions"] = instructions_of(answers.system) or None
    if answers.tools is not None:
        values["tools"] = checked_tools(answers.tools) or None
    if answers.base_url:
        if not answers.base_url.startswith(("http://", "https://")):
            raise UsageError("--base-url is no address.", "It begins with http:// or https://.")
        if public(answers.base_url) != answers.base_url.rstrip("?"):
            raise UsageError("--base-url may hold no password and no query.", "Keys are kept apart: --api-key-env.")
        values["base_url"] = answers.base_url.rstrip("/")
        warn_of_plain_http(answers.base_url, "This assistant")
    if answers.api_key_env:
        values["api_key_env"] = answers.api_key_env
    if answers.model and assistant != "local":
        values["model"] = answers.model
    return values | answers.own
