"""Providers: one file each, found by name. A third party registers its own in the entry-point group `asstproxy.providers`."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from ..config.profiles import Profile
from ..core.errors import NotSetUpError
from ..core.roles import AssistantProxy

__all__ = ["PROVIDERS", "connect", "entry"]

PROVIDERS = {
    "gpt": "asstproxy.providers.openai.gpt:connect",
    "gemini": "asstproxy.providers.gemini.gemini:connect",
    "local": "asstproxy.providers.local.local:connect",
    "replay": "asstproxy.providers.playback:connect",
}
"""Provider name: where its `connect(profile, *, client=None)` is, imported on use."""


def connect(profile: Profile, *, client: Any = None) -> AssistantProxy:
    """The Assistant Proxy of a profile. `client` is an SDK's client that the caller already has.

    Raises:
        NotSetUpError: there is no such provider, or something that it needs is missing.
    """
    module, _, name = entry(profile).partition(":")
    make: Callable[..., AssistantProxy] = getattr(import_module(module), name)
    return make(profile, client=client)


def entry(profile: Profile) -> str:
    """Where the provider of a profile is, as `module:connect`.

    Raises:
        NotSetUpError: there is no such provider.
    """
    return PROVIDERS.get(profile.provider) or _registered(profile)


def _registered(profile: Profile) -> str:
    from importlib.metadata import entry_points

    found = entry_points(group="asstproxy.providers")
    for one in found:
        if one.name == profile.provider:
            return one.value
    known = ", ".join([*PROVIDERS, *sorted(one.name for one in found)])
    raise NotSetUpError(
        f"The profile '{profile.name}' names the provider '{profile.provider}', which is not installed.",
        f"Run: pip install PACKAGE, with the package that brings it; or choose one of: {known}.",
    )
