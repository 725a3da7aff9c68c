"""What `asst doctor` checks of the profiles: whether they work, where their keys are, which servers answer."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from ...config.base_url import is_exposed
from ...config.credentials import credentials_file, has_keyring, key_source, stored_keys
from ...config.profiles import Config, load_config
from ...config.vendors import VENDORS
from ...core.errors import AsstError, NotSetUpError
from ...core.redact import public_url
from ...providers.registry import address, provider_info, provider_module, provider_names
from ...text.safe_text import clean_line
from ..hints import hint_for, setup_command
from ..setup.keys import is_used, key_status
from ..setup.steps import steps_of
from .finding import Finding

__all__ = ["findings"]

CONNECT_TIMEOUT = 4.0
"""Seconds for a connection."""
_PLACES = {"environment": "the environment", "keyring": "the keyring"}
PROXIES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")


def findings(*, offline: bool) -> Iterator[Finding]:
    """Profiles, keys and, unless offline, servers."""
    config = Config()
    try:
        config = load_config()
        yield from _profiles(config)
    except AsstError as error:
        yield Finding("profiles", "config.toml", "broken", str(error), hint_for(error))
    urls = _urls(config)
    for name, url in urls.items():
        if is_exposed(url):
            text = f"{public_url(url)} is plain HTTP to another machine: others on the way can read what you send"
            yield Finding("profiles", name, "warning", text, "Use https://, or a tunnel to localhost.")
    yield from _keys(config)
    if not offline:
        yield from _servers(urls)


def _profiles(config: Config) -> Iterator[Finding]:
    group = "profiles"
    if not config.tables:
        yield Finding(group, "profiles", "warning", "none is set up", "Run: asst setup")
    for name in config.tables:
        yield _profile(config, name)
    if config.default and config.default not in config.names:
        hint = f"Run: asst setup use NAME, one of: {', '.join(config.names)}"
        yield Finding(group, "default", "broken", f'no such profile: "{config.default}"', hint)
    elif config.default:
        yield Finding(group, "default", "ok", config.default)
    elif config.tables:
        yield Finding(group, "default", "warning", "none", "Run: asst setup use NAME")
    if chosen := os.environ.get("ASST_PROFILE"):
        known = chosen in config.names
        hint = "" if known else "No such profile. Run: unset ASST_PROFILE"
        yield Finding(group, "ASST_PROFILE", "ok" if known else "broken", chosen, hint)


def _profile(config: Config, name: str) -> Finding:
    try:
        profile = config.profile(name)
        provider_module(profile)
        address(profile)
        if problem := steps_of(profile.provider).problem(profile):
            raise problem
        if profile.options.get("mcp") and find_spec("mcp") is None:
            raise NotSetUpError("Its MCP servers need the package mcp.", "Run: pip install 'asstproxy[mcp]'")
    except AsstError as error:
        return Finding("profiles", name, "broken", str(error), hint_for(error), is_profile=True)
    url = public_url(str(profile.options.get("base_url") or ""))
    vendor = VENDORS.get(profile.provider)
    has_model = profile.model or vendor is None or vendor.info.key_optional
    words = [profile.provider, profile.model or ("(its default model)" if has_model else ""), url and f"at {url}"]
    if profile.tools:
        words.append(f"tools: {' '.join(profile.tools)}")
    if not has_model:
        hint = f"Name one with each question: -m MODEL; or choose one: {setup_command(name, profile.provider)}"
        text = ", ".join([*filter(None, words), "without a model"])
        return Finding("profiles", name, "warning", text, hint, is_profile=True)
    model = profile.model or provider_info(profile.provider).default_model or _bundled_model(profile.provider)
    short = ", ".join(
        filter(None, (clean_line(Path(model).name.removesuffix(".gguf")) or profile.provider, *words[2:]))
    )
    return Finding("profiles", name, "ok", ", ".join(filter(None, words)), short=short, is_profile=True)


def _bundled_model(provider: str) -> str:
    if provider != "local":
        return ""
    from ...providers.local.process import find_model

    return str(find_model() or "")


def _urls(config: Config) -> dict[str, str]:
    """Where the profiles in use are asked. A profile with an error is reported elsewhere."""
    urls = {}
    for name in config.names:
        with suppress(AsstError):
            if is_used(config, name):
                urls[name] = address(config.profile(name))
    return {name: url for name, url in urls.items() if url}


def _keys(config: Config) -> Iterator[Finding]:
    """Where the keys are. The keys themselves are not read."""
    group = "keys"
    needed: dict[str, str] = {}
    for name in config.names:
        with suppress(AsstError):
            if name in config.tables or is_used(config, name):
                needed.setdefault(key_status(config.profile(name)).variable, name)
    usual = [variable for name in provider_names() for variable in provider_info(name).key_variables]
    vendors = [variable for vendor in VENDORS.values() for variable in vendor.info.key_variables]
    try:
        found = [*filter(key_source, vendors), *stored_keys()]
        for variable in filter(None, dict.fromkeys([*needed, *usual, *found])):
            place = key_source(variable)
            if place == "keyring" and not has_keyring():
                hint = "Run: pip install 'asstproxy[keyring]'"
                text = "in the keyring, but its package is not installed"
                yield Finding(group, variable, "broken", text, hint, f"{variable} is {text}", needed.get(variable, ""))
            elif place:
                short = f"{variable} from {_PLACES.get(place, place)}"
                user = needed.get(variable, "")
                yield Finding(group, variable, "ok", f"present ({place})", short=short, about=user)
            elif variable in needed:
                profile = config.profile(needed[variable])
                hint = f"Run: export {variable}=…, or {setup_command(profile.name, profile.provider)}"
                text = f"missing; the profile {profile.name} needs it"
                short = f"{variable} is not set; this profile needs it"
                yield Finding(group, variable, "warning", text, hint, short, profile.name)
            else:
                yield Finding(group, variable, "absent", "not set")
    except AsstError as error:
        yield Finding(group, credentials_file().name, "broken", str(error), hint_for(error))


def _servers(urls: Mapping[str, str]) -> Iterator[Finding]:
    """Whether each server, or the proxy before it, accepts a connection. Nothing is sent but the beginning of TLS."""
    from ...providers.transport.proxies import tls_context

    for variable in PROXIES:
        if os.environ.get(variable):
            yield _proxy(variable, os.environ[variable])
    try:
        tls_context()
    except AsstError as error:
        yield Finding("servers", "certificates", "broken", str(error), hint_for(error))
        return
    with ThreadPoolExecutor(8) as pool:
        for (name, url), problem in zip(urls.items(), pool.map(_connection_problem, urls.values()), strict=True):
            if problem:
                hint = "Is the server running, and the network up?"
                text, short = f"{public_url(url)}: {problem}", f"Can't reach {_host(url)}: {problem}"
                yield Finding("servers", name, "warning", text, hint, short, is_profile=True)
            else:
                short = f"{_host(url)} answers"
                text = f"{public_url(url)} can be reached"
                yield Finding("servers", name, "ok", text, short=short, is_profile=True)


def _proxy(variable: str, url: str) -> Finding:
    from ...providers.transport.proxies import EnvironmentProxy

    try:
        EnvironmentProxy(url if "://" in url else f"http://{url}", variable).client_proxy(context=False)
    except AsstError as error:
        return Finding("servers", variable, "broken", str(error), hint_for(error))
    return Finding("servers", variable, "ok", public_url(url))


def _host(url: str) -> str:
    return urlsplit(public_url(url)).netloc or public_url(url)


def _connection_problem(url: str) -> str:
    """Why no connection can be made; nothing if it can."""
    from ...providers.transport.proxies import proxy_for

    proxy = proxy_for(url)
    parts = urlsplit(proxy.url if proxy else url)
    host = parts.hostname or ""
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        with socket.create_connection((host, port), CONNECT_TIMEOUT) as plain:
            if parts.scheme == "https" and not proxy:
                import ssl

                with ssl.create_default_context().wrap_socket(plain, server_hostname=host):
                    pass
    except ValueError as error:
        return f"not a URL: {error}"
    except TimeoutError:
        return f"no connection within {CONNECT_TIMEOUT:.0f} s"
    except OSError as error:
        reason = str(error.strerror or error).rstrip(".")
        return f"{proxy.shown}: {reason}" if proxy else reason
    return ""
