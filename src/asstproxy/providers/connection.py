"""From a profile to a transport: the address, the key, and the options that every provider over HTTP has."""

from __future__ import annotations

import os
from collections.abc import Mapping

import msgspec

from ..config.base_url import choose_base_url
from ..config.credentials import has_key
from ..config.insecure_http import warn_of_plain_http
from ..config.profiles import Profile
from ..config.provider_info import ProviderInfo
from ..core.errors import NotSetUpError
from .transport import Transport

__all__ = ["PolledOptions", "ServerOptions", "api_key", "base_url", "http_transport", "usual_key_variable"]


class ServerOptions(msgspec.Struct, frozen=True):
    """What a profile may say of its server.

    `base_url` and `api_key_env` (the variable that holds the key) replace the provider's own. `silence` is in seconds: how long
    to wait for the next piece of an answer. `headers` are sent with each request; never put a key there.
    """

    base_url: str = ""
    api_key_env: str = ""
    silence: float = 600.0
    headers: dict[str, str] = {}


class PolledOptions(ServerOptions, frozen=True):
    """The same for an API that also works in the background. `poll`: seconds between two looks at its answer."""

    poll: float = 2.0


def base_url(profile: Profile, info: ProviderInfo) -> str:
    """The address to ask: the profile's, that of the provider's environment variables, or the usual one.

    Raises:
        NotSetUpError: it can't be the address of an API.
    """
    return choose_base_url(profile, info.base_url_variables, info.base_url)


def api_key(profile: Profile, options: ServerOptions, info: ProviderInfo) -> str:
    """The key for this profile; empty when neither profile nor provider names a variable for one.

    Raises:
        NotSetUpError: it is not set, or it cannot be a key.
    """
    if not (variable := options.api_key_env or usual_key_variable(info)):
        return ""
    try:
        return profile.secret(variable)
    except NotSetUpError as error:
        if not info.keys_url or options.api_key_env:
            raise
        hint = f"Create a key at {info.keys_url} and set {variable}."
        raise NotSetUpError(str(error), hint, code=error.code, data={**error.data, "keys_url": info.keys_url}) from None


def usual_key_variable(info: ProviderInfo) -> str:
    """The variable for a provider's key when a profile names none: the first that is set, else the last one. Empty: no key."""
    names = info.key_variables
    if len(names) < 2 and not info.key_optional:
        return "".join(names)
    found = [name for name in names if os.environ.get(name)] or [name for name in names if has_key(name)]
    return next(iter(found or ([] if info.key_optional else names[-1:])), "")


def http_transport(
    profile: Profile,
    options: ServerOptions,
    info: ProviderInfo,
    *,
    root: str = "",
    headers: Mapping[str, str] | None = None,
) -> Transport:
    """A transport to this profile's server, with the key as a bearer token if there is one.

    `root` is the first part of every path, such as `/v1`; some people write it into the address as well. `headers` are the
    provider's own; those of the profile replace them.

    Raises:
        NotSetUpError: the address or the key is missing.
    """
    from .transport.http import HttpTransport

    address = base_url(profile, info)
    if not address:
        raise NotSetUpError(
            f"The profile '{profile.name}' has no base_url.",
            "Set base_url in the profile.",
            code="base_url_missing",
            data={"provider": profile.provider, "profile": profile.name},
        )
    key = api_key(profile, options, info)
    warn_of_plain_http(address, f"'{profile.name}'")
    address = address.rstrip("/").removesuffix(root) + root
    return HttpTransport(
        address,
        {"Authorization": f"Bearer {key}"} if key else {},
        plain_headers={**(headers or {}), **options.headers},
        silence=options.silence,
    )
