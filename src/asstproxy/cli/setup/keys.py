"""Keys in `asst setup`: which variable holds one, where it is, asking for it, and spotting another vendor's key."""

from __future__ import annotations

import os
import re
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

from ...config.credentials import has_keyring, key_source, validate_key
from ...config.profiles import Config, Profile
from ...config.provider_info import ProviderInfo
from ...core.errors import AsstError, NotSetUpError, UsageError
from ...core.redact import public_url
from ...providers.connection import usual_key_variable
from ...providers.registry import needs_key, provider_info
from ..env_file import loaded
from ..hints import hint_for, setup_command
from .prompts import ask_hidden, choose, say, show_step

__all__ = [
    "Key",
    "KeyStatus",
    "check_variable",
    "find_key_or_ask",
    "foreign_vendor",
    "found_addresses",
    "is_declared",
    "is_used",
    "key_status",
    "key_variable",
    "refuse_foreign_key",
]

_SHAPES = (  # only what is certain: vendors change how their keys look
    ("Anthropic", re.compile(r"sk-ant-")),
    ("OpenAI", re.compile(r"sk-(?!ant-|or-)")),
    ("Google", re.compile(r"AIza|AQ\.")),
    ("xAI", re.compile(r"xai-")),
    ("Groq", re.compile(r"gsk_")),
)


@dataclass(slots=True)
class Key:
    """The variable that holds the key, and a new key that is not saved yet."""

    variable: str = ""
    new: str | None = None
    keyring: bool = False


class KeyStatus(NamedTuple):
    """The variable of a profile's key, and where the key is: a place, `missing`, `not needed` or `unknown`."""

    variable: str
    place: str

    @property
    def is_present(self) -> bool:
        """Whether there is a key."""
        return self.place not in ("missing", "not needed", "unknown")


def key_status(profile: Profile) -> KeyStatus:
    """Where the key of a profile is. The key itself is not read.

    Raises:
        NotSetUpError: credentials.toml has an error.
    """
    variable = key_variable(profile)
    if variable:
        return KeyStatus(variable, key_source(variable) or "missing")
    return KeyStatus("", "not needed" if is_declared(profile.provider) else "unknown")


def key_variable(profile: Profile) -> str:
    """The variable that holds the key of a profile: the one it names, the first that is set, or the usual one. Empty: no key.

    Raises:
        NotSetUpError: credentials.toml has an error.
    """
    if given := str(profile.options.get("api_key_env") or ""):
        return given
    with suppress(NotSetUpError):  # an option of the wrong type: connecting reports it
        if not needs_key(profile):
            return ""
    return usual_key_variable(provider_info(profile.provider))


def is_declared(provider: str) -> bool:
    """Whether the provider declares what it needs. A third party's module may have no `INFO`, or not be installed."""
    return provider_info(provider) != ProviderInfo(title=provider)


def is_used(config: Config, name: str) -> bool:
    """Whether this profile was set up, or its key is present."""
    return name in config.tables or key_status(config.profile(name)).is_present


def check_variable(name: str) -> str:
    """The name, if it can be that of an environment variable.

    Raises:
        UsageError: it is a key, or no variable can have this name.
    """
    if foreign_vendor(name, "") or not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII) or len(name) > 64:
        raise UsageError(
            "--api-key-env takes the name of an environment variable, not a key.",
            "Pass the key itself with --key-stdin, or type it when asst asks.",
        )
    return name


def find_key_or_ask(key: Key, profile: Profile, *, asking: bool, from_stdin: bool) -> None:
    """Find the key or ask for it, and print what was found.

    Raises:
        UsageError: what was typed can't be a key.
    """
    if from_stdin:
        key.new = validate_key(ask_hidden("Key") if sys.stdin.isatty() else sys.stdin.readline())
        if key_source(key.variable) == "environment":
            say(f"Warning: {key.variable} is also set in the environment, which takes precedence over a saved key.")
    elif place := key_source(key.variable):
        file = loaded.get(key.variable)
        where = f"in {file}; pass --env-file to other commands, too" if file else place
        say(f"Found: {key.variable} ({where}).")
    elif asking:
        _ask_for_key(key, provider_info(profile.provider).keys_url)
    else:
        say(
            f"Warning: {key.variable} is not set. Before you ask: export {key.variable}=…, "
            f"or run: {setup_command(profile.name, profile.provider)} --key-stdin"
        )


def _ask_for_key(key: Key, keys_url: str) -> None:
    show_step()
    say(f"{key.variable} is not set.{f' Create a key: {keys_url}' if keys_url else ''}")
    while key.new is None:
        typed = ask_hidden("Paste the key (hidden; Enter to skip)")
        if not typed:
            say(f"Skipped. Before you ask: export {key.variable}=…")
            return
        try:
            key.new = validate_key(typed)
        except AsstError as error:
            say(f"  {error} {hint_for(error)}")
    if has_keyring() and not key.keyring:
        places = [("credentials.toml", "a file that only you can read"), ("keyring", "the system's keyring")]
        key.keyring = choose("Save it in", places, "credentials.toml") == "keyring"


def foreign_vendor(value: str, vendor: str) -> str:
    """The vendor whose key this certainly is; nothing if that is the expected vendor, or uncertain."""
    found = next((name for name, shape in _SHAPES if shape.match(value)), "")
    return found if found != vendor else ""


def refuse_foreign_key(value: str | None, info: ProviderInfo, variable: str) -> None:
    """Don't even send another vendor's key.

    Raises:
        NotSetUpError: it is another vendor's.
    """
    found = foreign_vendor(value or "", info.vendor) if info.vendor else ""
    if found:
        raise NotSetUpError(
            f"{variable} holds a key of {found}, not of {info.vendor}. It was not sent.",
            f"Create a key: {info.keys_url}" if info.keys_url else f"Set {variable} to a key of {info.vendor}.",
        )


def found_addresses(info: ProviderInfo) -> list[str]:
    """What the environment says about the API's URL."""
    return [f"{name} = {public_url(os.environ[name])}" for name in info.base_url_variables if os.environ.get(name)]
