"""Providers by name: those of asstproxy, and those that a package registers in the entry-point group `asstproxy.providers`."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any, cast

from ..config.profiles import Profile
from ..config.provider_info import BUILT_IN, ProviderInfo
from ..core.errors import NotSetUpError
from ..core.roles import AssistantProxy

__all__ = ["connect", "entry_point", "provider_info", "provider_module", "provider_names"]

GROUP = "asstproxy.providers"
PROVIDERS = {
    "gpt": "asstproxy.providers.openai.gpt:connect",
    "gemini": "asstproxy.providers.gemini.gemini:connect",
    "local": "asstproxy.providers.local.local:connect",
    "chat-completions": "asstproxy.providers.chat_completions:connect",
    "replay": "asstproxy.providers.playback:connect",
}
"""Provider name: where its `connect(profile, *, client=None)` is, imported on use."""
UNLISTED = ("replay",)
"""No profile of a person's names these: `replay:SESSION` stands for them."""


def connect(profile: Profile, *, client: Any = None) -> AssistantProxy:
    """The Assistant Proxy of a profile. `client` is an SDK's client that the caller already has.

    Raises:
        NotSetUpError: the provider is not installed, or something that it needs is missing.
    """
    function = entry_point(profile).partition(":")[2]
    return cast("AssistantProxy", getattr(provider_module(profile), function)(profile, client=client))


def entry_point(profile: Profile) -> str:
    """Where the provider of a profile is, as `module:connect`. Nothing is imported.

    Raises:
        NotSetUpError: the provider is not installed.
    """
    name = profile.provider
    if found := PROVIDERS.get(name) or _registered().get(name):
        return found
    known = ", ".join([*PROVIDERS, *sorted(_registered())])
    raise NotSetUpError(
        f"The profile '{profile.name}' names the provider '{name}', which is not installed.",
        f"Run: pip install PACKAGE, with the package that brings it; or choose one of: {known}.",
    )


def provider_module(profile: Profile) -> ModuleType:
    """The module of a profile's provider, which may have `INFO`, `models`, `needs_key` and `address` (docs/providers.md).

    Raises:
        NotSetUpError: the provider is not installed.
    """
    return import_module(entry_point(profile).partition(":")[0])


def provider_names() -> list[str]:
    """Every provider that a profile may name: those of asstproxy first."""
    own = [name for name in PROVIDERS if name not in UNLISTED]
    return own + sorted(name for name in _registered() if name not in PROVIDERS)


def provider_info(name: str) -> ProviderInfo:
    """What a provider declares about itself; only its name, when it declares nothing or cannot be imported."""
    if name in BUILT_IN:
        return BUILT_IN[name]
    try:
        info = getattr(provider_module(Profile(name, name)), "INFO", None)
    except Exception:  # noqa: BLE001 - a list of providers must not fail because of one; `connect` says why it fails
        info = None
    return info if isinstance(info, ProviderInfo) else ProviderInfo(title=name)


def _registered() -> dict[str, str]:
    from importlib.metadata import entry_points

    return {one.name: one.value for one in entry_points(group=GROUP)}
