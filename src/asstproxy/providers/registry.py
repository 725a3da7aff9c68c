"""Providers by name: those of asstproxy, and those that a package registers in the entry-point group `asstproxy.providers`."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

from ..config.provider_info import BUILT_IN, ProviderInfo
from ..core.errors import NotSetUpError, UsageError

if TYPE_CHECKING:  # shell completion reads the names, and must not pay for msgspec
    from ..config.profiles import Profile
    from ..config.vendors import Vendor
    from ..core.roles import AssistantProxy
    from .batch_api import BatchApi

__all__ = [
    "address",
    "batches",
    "connect",
    "entry_point",
    "needs_key",
    "provider_info",
    "provider_module",
    "provider_names",
    "vendors_with_key",
]

GROUP = "asstproxy.providers"
PROVIDERS = {
    "gpt": "asstproxy.providers.openai.gpt:connect",
    "gemini": "asstproxy.providers.gemini.gemini:connect",
    "anthropic": "asstproxy.providers.anthropic:connect",
    "local": "asstproxy.providers.local.local:connect",
    "chat-completions": "asstproxy.providers.chat_completions:connect",
    "assistants": "asstproxy.providers.assistants:connect",
    "replay": "asstproxy.providers.playback:connect",
}
"""Provider name: where its `connect(profile, *, client=None)` is, imported on use."""
HOOKS = {"gemini": "asstproxy.providers.gemini.endpoint"}
"""Where `needs_key` and `address` of our own providers are: modules without HTTP and asyncio, so that lists stay fast."""
BATCHES = {
    "gpt": "asstproxy.providers.openai.batches",
    "chat-completions": "asstproxy.providers.openai.batches",
    "anthropic": "asstproxy.providers.anthropic_batches",
    "gemini": "asstproxy.providers.gemini.batches",
}
"""Where `batches` of our own providers is: in a module apart, because few runs need it."""
UNLISTED = ("replay",)
"""Not for a profile of the config file: `replay:SESSION` stands for it."""


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
    vendors = _vendors()
    if name in vendors:
        return PROVIDERS[vendors[name].protocol]
    from ..core.near_names import did_you_mean

    meant = did_you_mean(name, [*PROVIDERS, *vendors, *_registered()])
    raise NotSetUpError(
        f"The profile '{profile.name}' names the provider '{name}', which is not installed.",
        meant
        or f"Choose {', '.join(PROVIDERS)} or a vendor, or run: pip install PACKAGE, with the package that brings it.",
    )


def provider_module(profile: Profile) -> ModuleType:
    """The module of a profile's provider, which may have `INFO`, `models`, `needs_key` and `address` (docs/providers.md).

    Raises:
        NotSetUpError: the provider is not installed, or can't be imported.
    """
    module = entry_point(profile).partition(":")[0]
    if profile.provider in PROVIDERS:
        return import_module(module)
    try:
        return import_module(module)
    except Exception as error:  # whatever a third party's module raises: this is not a bug of asst
        raise NotSetUpError(
            f"The provider '{profile.provider}' can't be loaded: {type(error).__name__}: {error}",
            "Reinstall the package that brings it.",
        ) from error


def batches(profile: Profile) -> BatchApi:
    """The batch API of a profile: what `batches(profile)` in the provider's module makes.

    Raises:
        UsageError: its provider has none.
        NotSetUpError: the provider isn't installed, or something that it needs is missing.
    """
    vendor = None if profile.provider in _registered() else _vendors().get(profile.provider)
    own = BATCHES.get(vendor.protocol if vendor is not None else profile.provider)
    function = getattr(import_module(own) if own else provider_module(profile), "batches", None)
    if function is None:
        title = provider_info(profile.provider).vendor or f"The provider '{profile.provider}'"
        raise UsageError(f"{title} has no batch API.", "Ask the items directly.", code="batch_api_missing")
    return cast("BatchApi", function(profile))


def needs_key(profile: Profile) -> bool:
    """Whether this profile needs a key: as `needs_key(profile)` in the provider's module says, else as `ProviderInfo` does.

    Raises:
        NotSetUpError: an option of the profile has the wrong type.
    """
    hook = _hook(profile, "needs_key")
    return bool(hook(profile)) if hook else bool(provider_info(profile.provider).key_variables)


def address(profile: Profile) -> str:
    """The URL that is asked for this profile: as `address(profile)` in the provider's module says, else the profile's own
    `base_url`, that of the environment, or the usual one. Empty for a model in this process, and where it is unknown.

    Raises:
        NotSetUpError: an option of the profile has the wrong type, or the address can't be used.
    """
    if hook := _hook(profile, "address"):
        return str(hook(profile))
    from ..config.base_url import address_of

    return address_of(profile, provider_info(profile.provider)).partition("?")[0]


def provider_names() -> list[str]:
    """Every provider that a profile may name: those of asstproxy first."""
    own = [name for name in PROVIDERS if name not in UNLISTED]
    return own + sorted(name for name in _registered() if name not in PROVIDERS)


def vendors_with_key() -> list[str]:
    """The vendors whose key is in the environment, in credentials.toml, or in the keyring. No key is read.

    Raises:
        NotSetUpError: credentials.toml has an error.
    """
    from ..config.credentials import key_source

    return [name for name, vendor in _vendors().items() if any(map(key_source, vendor.info.key_variables))]


def provider_info(name: str) -> ProviderInfo:
    """What a provider declares about itself; only its name, when it declares nothing or cannot be imported."""
    if name in BUILT_IN:
        return BUILT_IN[name]
    if name in _vendors() and name not in _registered():
        return _vendors()[name].info
    from ..config.profiles import Profile

    try:
        info = getattr(provider_module(Profile(name, name)), "INFO", None)
    except NotSetUpError:  # a list of providers must not fail because of one; `connect` says why it fails
        info = None
    return info if isinstance(info, ProviderInfo) else ProviderInfo(title=name)


def _hook(profile: Profile, name: str) -> Any:
    """A function that the provider's module may have. A module that can't be imported has none; `connect` says why."""
    if profile.provider in _vendors() and profile.provider not in _registered():
        return None
    if profile.provider in PROVIDERS:
        return getattr(import_module(HOOKS[profile.provider]), name) if profile.provider in HOOKS else None
    try:
        return getattr(provider_module(profile), name, None)
    except NotSetUpError:
        return None


def _vendors() -> dict[str, Vendor]:
    from ..config.vendors import VENDORS  # a long table, which the built-in providers don't need

    return VENDORS


def _registered() -> dict[str, str]:
    from importlib.metadata import entry_points

    return {one.name: one.value for one in entry_points(group=GROUP)}
