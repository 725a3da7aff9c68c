"""The assistant that the options of a command ask for: its settings, its fallbacks, and what they may cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from ..config.profiles import Profile, load_config
from ..core.errors import UsageError
from ..core.events import Configured
from ..core.roles import AssistantProxy
from ..core.warnings import warn_once
from ..providers.assembly import Asked, assemble
from ..providers.registry import provider_info
from .options import ConversationOptions

if TYPE_CHECKING:
    from ..providers.budget import Budget

__all__ = ["connect_assistant", "settings_for", "with_template_settings"]


def with_template_settings(profile: Profile, settings: Mapping[str, Any]) -> Profile:
    """The profile, with the settings of a template over its own; a warning names those that the provider doesn't list.

    Raises:
        UsageError: a value has the wrong type.
    """
    from ..config.settings import checked_settings, merge_settings

    table = provider_info(profile.provider).settings
    try:
        checked = checked_settings(settings, table)
    except UsageError as error:
        raise UsageError(f"config of the template: {error}", error.hint, code=error.code) from None
    _warn_of_unknown(checked.unknown, profile.provider)
    return msgspec.structs.replace(profile, settings=merge_settings(profile.settings, checked.values))


def settings_for(profile: Profile, options: ConversationOptions) -> dict[str, Any]:
    """The settings of a profile, with those of `-O` over them; a warning names those that the provider doesn't list.

    Raises:
        UsageError: a value of `-O` has the wrong type.
    """
    if not options.settings:
        return profile.settings
    from ..config.settings import merge_settings, typed_settings

    typed = typed_settings(options.settings, provider_info(profile.provider).settings)
    _warn_of_unknown(typed.unknown, profile.provider)
    return merge_settings(profile.settings, typed.values)


def _warn_of_unknown(names: Iterable[str], provider: str) -> None:
    """Warn of each setting that the provider doesn't list; once, however often a chat continues with these settings."""
    from ..config.settings import unknown_settings

    for name in names:
        if line := unknown_settings([name], provider_info(provider).settings, provider):
            warn_once(line)


def connect_assistant(
    profile: Profile, configured: Configured, options: ConversationOptions, budget: Budget | None
) -> AssistantProxy:
    """The assistant of a profile, with the fallbacks of the options, within the budget; see `assemble`.

    Raises:
        AsstError: a profile or its key is missing, or the budget can't be kept.
    """
    asked = [Asked(msgspec.structs.replace(profile, model=configured.model), configured.settings)]
    for name in options.fallbacks or ():
        other = load_config().profile(name)
        asked.append(Asked(other, _known_settings(other, options)))
    return assemble(asked, budget)


def _known_settings(profile: Profile, options: ConversationOptions) -> dict[str, Any]:
    """The settings of a fallback: of `-O`, it gets what its own provider lists."""
    from ..config.settings import merge_settings, typed_settings

    table = provider_info(profile.provider).settings
    pairs = [pair for pair in options.settings or () if pair.partition("=")[0].strip().partition(".")[0] in table]
    return merge_settings(profile.settings, typed_settings(pairs, table).values)
