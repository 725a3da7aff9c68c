"""The address of an API, checked before anything is sent to it.

Plain HTTP to another machine is allowed, because many models run in a private network, but with a warning. Only loopback addresses
and names are this machine. Link-local and private addresses are not: others in that network can read the messages and the key.
Names are not resolved, so nothing waits for DNS.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from ..core.errors import NotSetUpError
from ..core.redact import public_url
from ..core.warnings import warn_once
from .profiles import Profile, config_file
from .provider_info import ProviderInfo

__all__ = ["address_of", "choose_base_url", "is_exposed", "warn_of_plain_http"]

_HERE = re.compile(r"(?:.+\.)?localhost\.?|127(?:\.\d{1,3}){3}|0\.0\.0\.0|::1?", re.IGNORECASE)
_PLACE = re.compile(r"\{(\w+)\}")


def address_of(profile: Profile, info: ProviderInfo) -> str:
    """The address to ask for a profile of this provider, where `info` says so with a query; see `choose_base_url`.

    Raises:
        NotSetUpError: it can't be the address of an API, or a place in it has no value.
    """
    if "base_url" in profile.options or not info.places:
        return choose_base_url(profile, info.base_url_variables, info.base_url)
    known = {place: _value_of(place, variable, profile) for place, variable in info.places.items()}
    wanted = [(one, _PLACE.findall(one)) for one in (*info.more_base_urls, info.base_url)]
    template = next((one for one, places in wanted if all(known[place] for place in places)), "")
    if not template:
        missing = next(place for place in wanted[-1][1] if not known[place])
        raise NotSetUpError(
            f"The address of {info.vendor} needs the {missing.replace('_', ' ')}.",
            f"Set {info.places[missing]}, or {missing} in the profile.",
            code="place_missing",
            data={
                "variable": info.places[missing],
                "option": missing.replace("_", "-"),
                "provider": profile.provider,
                "profile": profile.name,
            },
        )
    address = _PLACE.sub(
        lambda found: known[found[1]] if not found.start() else quote(known[found[1]], safe=""), template
    )
    if problem := _problem(address.partition("?")[0]):
        raise NotSetUpError(f"The address of {info.vendor} {problem}.", f"Check {', '.join(info.places)}.")
    return address


def _value_of(place: str, variable: str, profile: Profile) -> str:
    return str(profile.options.get(place) or os.environ.get(variable) or "").strip().rstrip("/")


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


def is_exposed(address: str) -> bool:
    """Whether others can read what is sent to this URL."""
    try:
        parts = urlsplit(address)
        return parts.scheme.lower() in ("http", "ws") and not _HERE.fullmatch(parts.hostname or "localhost")
    except ValueError:  # not a URL: the request will fail and say so
        return False


def warn_of_plain_http(address: str, who: str) -> None:
    """Warn the person, once, if others can read what is sent to this URL."""
    if is_exposed(address):
        host = urlsplit(address).hostname
        warn_once(
            f"{who} uses plain HTTP to {host}: others on the network can read the messages and the key."
            " Use https://, or a tunnel to localhost.",
            about=f"plain HTTP to {host}",
        )
