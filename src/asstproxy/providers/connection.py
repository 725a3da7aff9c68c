"""From a profile to a transport: the address, the key, and the options that every provider over HTTP has."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl

import msgspec

from ..config.base_url import address_of, warn_of_plain_http
from ..config.credentials import has_key
from ..config.profiles import Profile
from ..config.provider_info import ProviderInfo
from ..core.errors import NotSetUpError
from ..core.redact import is_secret_name
from .transport import Transport

__all__ = [
    "PolledOptions",
    "ServerOptions",
    "api_key",
    "base_url",
    "http_transport",
    "required_model",
    "usual_key_variable",
]

_REFERENCE = re.compile(r"\$\{(\w+)\}")


class ServerOptions(msgspec.Struct, frozen=True):
    """What a profile may say of its server.

    `base_url` and `api_key_env` (the variable that holds the key) replace the provider's own. `silence` is in seconds: how long
    to wait for the next piece of an answer. `headers` and `query` are sent with each request; `${NAME}` in a value stands for the
    key of that name, because the file holds no key.
    """

    base_url: str = ""
    api_key_env: str = ""
    silence: float = 600.0
    headers: dict[str, str] = {}
    query: dict[str, str] = {}


class PolledOptions(ServerOptions, frozen=True):
    """The same for an API that also works in the background. `poll`: seconds between two looks at its answer."""

    poll: float = 2.0


def base_url(profile: Profile, info: ProviderInfo) -> str:
    """The address to ask: the profile's, that of the provider's environment variables, or the usual one.

    Raises:
        NotSetUpError: it can't be the address of an API.
    """
    return address_of(profile, info)


def api_key(profile: Profile, options: ServerOptions, info: ProviderInfo) -> str:
    """The key for this profile; empty when neither profile nor provider names a variable for one.

    Raises:
        NotSetUpError: it is not set, or it cannot be a key.
    """
    if not (variable := _key_variable(options, info)):
        return ""
    try:
        return profile.secret(variable)
    except NotSetUpError as error:
        if not info.keys_url or options.api_key_env:
            raise
        hint = f"Create a key at {info.keys_url} and set {variable}."
        raise NotSetUpError(str(error), hint, code=error.code, data={**error.data, "keys_url": info.keys_url}) from None


def _key_variable(options: ServerOptions, info: ProviderInfo) -> str:
    return options.api_key_env or usual_key_variable(info)


def usual_key_variable(info: ProviderInfo) -> str:
    """The variable for a provider's key when a profile names none: the first that is set, else the last one. Empty: no key."""
    names = info.key_variables
    if len(names) < 2 and not info.key_optional:
        return "".join(names)
    found = [name for name in names if os.environ.get(name)] or [name for name in names if has_key(name)]
    return next(iter(found or ([] if info.key_optional else names[-1:])), "")


def required_model(profile: Profile, usual: str = "") -> str:
    """The model that the profile names, or the usual one.

    Raises:
        NotSetUpError: there is neither.
    """
    if model := profile.model or usual:
        return model
    raise NotSetUpError(
        f"The profile '{profile.name}' names no model.",
        "Set model in the profile.",
        code="model_not_named",
        data={"provider": profile.provider, "profile": profile.name},
    )


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
    address, _, query = address.partition("?")
    given, secret = _filled(profile, "headers", options.headers)
    asked, hidden = _filled(profile, "query", options.query)
    bearer = {info.key_header: key} if info.key_header else {"Authorization": f"Bearer {key}"}
    return HttpTransport(
        address.rstrip("/").removesuffix(root) + root,
        (bearer if key else {}) | secret,
        plain_headers={**(headers or {}), **given},
        query=dict(parse_qsl(query)) | asked | hidden,
        silence=options.silence,
        key_hint=_key_hint(options, info),
    )


def _filled(profile: Profile, table: str, values: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """The values that are in the profile as they are sent, and those with a key in place of `${NAME}`.

    Raises:
        NotSetUpError: such a key is not set, or a value is a key in plain text.
    """
    plain, secret = dict[str, str](), dict[str, str]()
    for name, value in values.items():
        if _REFERENCE.search(value):
            secret[name] = _REFERENCE.sub(lambda found: profile.secret(found[1]), value)
        elif is_secret_name(name):
            raise NotSetUpError(
                f"The profile '{profile.name}' has a key in plain text: {table}.{name}.",
                f'Write {name} = "${{NAME}}", and set the variable NAME to the key.',
            )
        else:
            plain[name] = value
    return plain, secret


def _key_hint(options: ServerOptions, info: ProviderInfo) -> str:
    """Where the key of a request came from, for somebody whose key is not accepted."""
    if not (variable := _key_variable(options, info)):
        return f"No key was sent: set {' or '.join(info.key_variables) or 'api_key_env in the profile'}."
    new = f", or create one at {info.vendor}: {info.keys_url}" if info.keys_url else "."
    return f"Check the key in {variable}{new}"
