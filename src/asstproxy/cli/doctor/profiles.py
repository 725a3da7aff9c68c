"""What `asst doctor` sees of the profiles: whether they can be read, where their keys are, who can be reached."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ...config.credentials import credentials_file, has_keyring, key_source, stored_keys
from ...config.profiles import Config, load_config
from ...core.errors import AsstError
from ...providers.transport.insecure_http import is_exposed
from ..setup.keys import ASSISTANTS, public
from ..setup.manage import is_used, key_status
from .command import Finding

__all__ = ["exposed", "keys", "profiles", "reachability"]

WITHIN = 4.0
"""Seconds for a connection."""


def profiles() -> Iterator[Finding]:
    """Every profile that was set up, and the file they are in."""
    group = "profiles"
    try:
        config = load_config()
    except AsstError as error:
        yield Finding(group, "config.toml", "broken", str(error), error.hint)
        return
    if not config.tables:
        yield Finding(group, "profiles", "warning", "none is set up", "Run: asst setup")
    for name in config.tables:
        yield _profile(config, name)
    if config.default and config.default not in config.names:
        hint = f"Run: asst setup use NAME, one of: {', '.join(config.names)}"
        yield Finding(group, "default", "broken", f"'{config.default}', which is not there", hint)
    elif config.default:
        yield Finding(group, "default", "ok", config.default)
    elif config.tables:
        yield Finding(group, "default", "warning", "none", "Run: asst setup use NAME")
    if os.environ.get("ASST_PROFILE"):
        name = os.environ["ASST_PROFILE"]
        known = name in config.names
        hint = "" if known else "There is no such profile: unset ASST_PROFILE."
        yield Finding(group, "ASST_PROFILE", "ok" if known else "broken", name, hint)


def exposed() -> Iterator[Finding]:
    """Who is asked over plain HTTP on another machine."""
    try:
        config = load_config()
        addresses = {name: _address(config, name) for name in config.names if is_used(config, name)}
    except AsstError:
        return
    for name, address in addresses.items():
        if is_exposed(address):
            text = f"{public(address)} is plain HTTP to another machine: others on the way can read what is said"
            yield Finding("profiles", name, "warning", text, "Use https://, or a tunnel to localhost.")


def _profile(config: Config, name: str) -> Finding:
    from ...providers import entry

    try:
        profile = config.profile(name)
        entry(profile)
        where = public(str(profile.options.get("base_url") or ""))
        if profile.provider == "local" and not where:
            problem = _local_problem(profile.model)
            if problem:
                return Finding("profiles", name, "broken", f"local {profile.model}", problem)
    except AsstError as error:
        return Finding("profiles", name, "broken", str(error), error.hint)
    words = [profile.provider, profile.model or "(its default model)", where and f"at {where}"]
    if profile.tools:
        words.append(f"tools: {' '.join(profile.tools)}")
    return Finding("profiles", name, "ok", ", ".join(filter(None, words)))


def _local_problem(model: str) -> str:
    from ...providers.local.process import find_model

    if find_spec("xllamacpp") is None:
        return "llama.cpp is not installed. Run: pip install 'asstproxy[local]'"
    if model and not Path(model).expanduser().is_file():
        return "This file is not there. Run: asst setup local -m FILE.gguf"
    return "" if model or find_model() else "There is no model. Run: asst setup local --yes"


def keys() -> Iterator[Finding]:
    """Where they are; what they are is not looked at."""
    group = "keys"
    try:
        config = load_config()
        wanted = {variable: name for name in config.tables if (variable := key_status(config, name)[0])}
    except AsstError:
        wanted = {}
    try:
        usual = [variable for about in ASSISTANTS.values() for variable in about.variables]
        for variable in dict.fromkeys([*wanted, *usual, *stored_keys()]):
            place = key_source(variable)
            if place == "keyring" and not has_keyring():
                hint = "Run: pip install 'asstproxy[keyring]'"
                yield Finding(group, variable, "broken", "in the keyring, whose package is not installed", hint)
            elif place:
                yield Finding(group, variable, "ok", f"present ({place})")
            elif variable in wanted:
                hint = f"Run: export {variable}=…, or asst setup"
                yield Finding(group, variable, "warning", f"missing; the profile '{wanted[variable]}' needs it", hint)
            else:
                yield Finding(group, variable, "ok", "not set")
    except AsstError as error:
        yield Finding(group, credentials_file().name, "broken", str(error), error.hint)


def reachability() -> Iterator[Finding]:
    """Whether a connection to each profile's server can be made. Nothing is sent but the beginning of TLS."""
    try:
        config = load_config()
        addresses = {name: _address(config, name) for name in config.names if is_used(config, name)}
    except AsstError:
        return
    asked = {name: address for name, address in addresses.items() if address}
    for variable in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        if os.environ.get(variable):
            yield Finding("servers", variable, "ok", public(os.environ[variable]))
    with ThreadPoolExecutor(8) as pool:
        for name, problem in zip(asked, pool.map(_problem, asked.values()), strict=True):
            address = public(asked[name])
            if problem:
                hint = "Is the server running, and the network up?"
                yield Finding("servers", name, "warning", f"{address}: {problem}", hint)
            else:
                yield Finding("servers", name, "ok", f"{address} can be reached")


def _address(config: Config, name: str) -> str:
    """Where a profile's provider is asked; nothing for a model in the process, and for what we do not know."""
    table: dict[str, Any] = config.tables.get(name, {})
    provider = table.get("provider") or name
    given = table.get("base_url")
    if isinstance(given, str) and given:
        return given
    if provider == "gpt":
        from ...providers.openai.gpt import BASE_URL

        return os.environ.get("OPENAI_BASE_URL") or BASE_URL
    if provider == "gemini":
        from ...providers.gemini.endpoint import DEVELOPER, host

        if key_status(config, name)[1] == "not needed":
            place = str(table.get("location") or os.environ.get("GOOGLE_CLOUD_LOCATION") or "global")
            return os.environ.get("GOOGLE_VERTEX_BASE_URL") or host(place)
        return os.environ.get("GOOGLE_GEMINI_BASE_URL") or DEVELOPER
    return ""


def _problem(address: str) -> str:
    """Why no connection can be made; nothing when it can."""
    parts = urlsplit(address)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        with socket.create_connection((parts.hostname or "", port), WITHIN) as plain:
            if parts.scheme == "https":
                _tls(plain, parts.hostname or "")
    except ValueError as error:
        return f"no address: {error}"
    except TimeoutError:
        return f"no connection within {WITHIN:.0f} s"
    except OSError as error:
        return str(error.strerror or error).rstrip(".")
    return ""


def _tls(plain: socket.socket, host: str) -> None:
    import ssl

    with ssl.create_default_context().wrap_socket(plain, server_hostname=host):
        pass
