"""A profile in the making: what the file has, what the options say, and what the stages of the wizard add to it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ...config.base_url import warn_of_plain_http
from ...config.edit import check_name
from ...config.paths import config_dir
from ...config.profiles import Config, Profile, load_config
from ...config.provider_info import ProviderInfo
from ...core.errors import NotSetUpError, UsageError
from ...core.redact import public_url
from ...providers.registry import provider_info, provider_names
from .instructions import checked_tools, instructions_of, preset
from .keys import Key, check_variable
from .prompts import say
from .setup_options import SetupOptions

__all__ = ["ProfileDraft", "checked_url", "require_writable_config", "start_draft"]

SHARED = ("instructions", "tools")
"""What a profile keeps when it moves to another provider: models, addresses, keys and settings belong to the old one."""


@dataclass(slots=True)
class ProfileDraft:
    """One run of `asst setup PROVIDER`. Nothing is written before its last stage."""

    config: Config
    provider: str
    info: ProviderInfo
    options: SetupOptions
    name: str
    saved: dict[str, Any]
    """The profile as the file has it."""
    changes: dict[str, Any]
    """What becomes of its keys; None removes one."""
    key: Key = field(default_factory=Key)
    model_choice: Literal["optional", "required", "fixed"] = "optional"
    """`required`: the profile must name a model. `fixed`: nothing is left to choose."""
    check_timeout: float = 20.0
    """Seconds for the check."""

    @property
    def merged(self) -> dict[str, Any]:
        """The profile's table as it would be written now."""
        return {key: value for key, value in {**self.saved, **self.changes}.items() if value is not None}

    @property
    def profile(self) -> Profile:
        """The profile as it would be read then.

        Raises:
            NotSetUpError: a value has the wrong type.
        """
        return Config(self.config.default, {**self.config.tables, self.name: self.merged}).profile(self.name)


def start_draft(provider: str, options: SetupOptions, answers: Mapping[str, str | bool]) -> ProfileDraft:
    """The first stage: the saved profile, and what the command line says. `answers` are the provider's own options.

    Raises:
        UsageError: an option is wrong.
        NotSetUpError: the file has an error.
    """
    config = load_config()
    name = check_name(options.name or provider)
    saved = _saved(config, name, provider, move=options.move)
    if saved:
        say(f"Changing the profile {name}.")
    moved = saved.get("provider", provider) != provider
    left: dict[str, Any] = {key: None for key in saved if key not in SHARED} if moved else {}
    changes: dict[str, Any] = {**left, "provider": provider, **_from_options(options), **answers}
    return ProfileDraft(config, provider, provider_info(provider), options, name, saved, changes)


def require_writable_config() -> None:
    """Complain before the first question, rather than after the last.

    Raises:
        NotSetUpError: the config folder can't be created or written.
    """
    folder = config_dir().absolute()
    place: Path = folder
    while not place.exists() and place != place.parent:
        place = place.parent
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        why = "Permission denied" if place.is_dir() else f"{place} isn't a folder"
        raise NotSetUpError(f"Can't write to the config folder {folder}: {why}.", "Use another: set ASST_CONFIG_DIR.")


def _saved(config: Config, name: str, provider: str, *, move: bool) -> dict[str, Any]:
    table = config.tables.get(name, {})
    if not table and move:
        raise UsageError(f"No such profile: '{name}'.", "--move takes over a saved one. See: asst setup list")
    if not table and name != provider and name in provider_names():
        raise UsageError(f'The name "{name}" belongs to another provider.', "Choose another with --name.")
    other = table.get("provider", name)
    if table and other != provider and not move:
        raise UsageError(
            f'The profile "{name}" uses the provider {other}.',
            f"Choose another --name, or first run: asst setup remove {name}",
        )
    return {"provider": other, **table} if table else table


def _from_options(options: SetupOptions) -> dict[str, Any]:
    """What the options say, as keys of the profile."""
    changes: dict[str, Any] = {"model": options.model} if options.model else {}
    if options.preset:
        chosen = preset(options.preset)
        changes["instructions"] = chosen.instructions
        if chosen.tools:
            changes["tools"] = checked_tools(chosen.tools)
    if options.system is not None:
        changes["instructions"] = instructions_of(options.system) or None
    if options.tools is not None:
        changes["tools"] = checked_tools(options.tools) or None
    if options.base_url:
        changes["base_url"] = checked_url(options.base_url)
    if options.api_key_env:
        changes["api_key_env"] = check_variable(options.api_key_env)
    return changes


def checked_url(url: str) -> str:
    """The URL as the profile has it.

    Raises:
        UsageError: it isn't a URL, or contains a password or a query.
    """
    if not url.startswith(("http://", "https://")):
        raise UsageError("--base-url must be a URL.", "It starts with http:// or https://.")
    if public_url(url) != url.rstrip("?"):
        raise UsageError("--base-url can't contain a password or a query.", "Keys are saved elsewhere: --key-stdin.")
    warn_of_plain_http(url, "This assistant")
    return url.rstrip("/")
