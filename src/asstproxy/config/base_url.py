"""The address of an API, checked before anything is sent to it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from ..core.errors import NotSetUpError
from ..core.redact import public_url
from .profiles import Profile, config_file

__all__ = ["choose_base_url"]


def choose_base_url(profile: Profile, variables: Iterable[str], usual: str) -> str:
    """The address to ask, without a slash at its end: the profile's, that of the first variable that is set, or the usual one.

    Raises:
        NotSetUpError: it can't be the address of an API. The message names the file or the variable, and nothing secret.
    """
    given, source = _given(profile.options, variables)
    if not source:
        return usual
    if not source.isupper():
        source = f"The base_url of the profile '{profile.name}' in {config_file()}"
    if problem := _problem(given):
        raise NotSetUpError(f"{source} {problem}.", "Write it like https://host/v1.")
    return given.strip().rstrip("/")


def _given(options: Mapping[str, Any], variables: Iterable[str]) -> tuple[str, str]:
    """The address and what names it: `base_url`, a variable, or nothing. A variable that is empty counts as not set."""
    if "base_url" in options:
        return str(options["base_url"]), "base_url"
    return next(((os.environ[name], name) for name in variables if os.environ.get(name)), ("", ""))


def _problem(address: str) -> str:
    address = address.strip()
    if not address:
        return "is empty"
    shown = public_url(address)
    try:
        parts = urlsplit(address)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # the port, or the brackets of an IPv6 address
        usable = False
    if not usable or any(character.isspace() for character in address):
        return f"is not the URL of a server: '{shown}'"
    if parts.username is not None or parts.password is not None:
        return f"contains a user or a password: {shown}. Keys are saved elsewhere (api_key_env)"
    if "?" in address or "#" in address:
        return f"contains a query or a fragment after {shown}. Nothing can be added to such an address"
    return ""
