"""The assistant of a conversation: the profile's, those that answer in its place, and what they may cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ..config.profiles import Profile, load_config
from ..core.events import Configured
from ..core.roles import AssistantProxy
from ..providers import connect
from ..providers.registry import provider_info
from .error_output import print_warning
from .options import ConversationOptions

if TYPE_CHECKING:
    from ..providers.budget import Budget
    from ..providers.fallback import Candidate

__all__ = ["budget_for", "connect_assistant", "settings_for", "with_settings"]


def settings_for(profile: Profile, options: ConversationOptions) -> dict[str, Any]:
    """The settings of a profile, with those of `-O` over them; a warning names those that the provider doesn't list.

    Raises:
        UsageError: a value of `-O` has the wrong type.
    """
    if not options.settings:
        return profile.settings
    from ..config.settings import merge_settings, typed_settings, unknown_settings

    table = provider_info(profile.provider).settings
    typed = typed_settings(options.settings, table)
    if line := unknown_settings(typed.unknown, table, profile.provider):
        print_warning(line)
    return merge_settings(profile.settings, typed.values)


def with_settings(configured: Configured, pairs: list[str]) -> Configured:
    """Who answers, with these settings (`key=value`) changed.

    Raises:
        UsageError: a value has the wrong type.
    """
    from ..config.settings import merge_settings, typed_settings

    table = provider_info(configured.provider).settings
    return msgspec.structs.replace(
        configured, settings=merge_settings(configured.settings, typed_settings(pairs, table).values)
    )


def budget_for(profile: Profile, options: ConversationOptions) -> Budget | None:
    """What this run may cost, as `--max-cost` says, or else the profile; None for any amount.

    Raises:
        UsageError: that isn't a positive amount.
        NotSetUpError: `prices.toml` has an error.
    """
    limit = options.max_cost if options.max_cost is not None else profile.max_cost
    if limit is None:
        return None
    from ..providers.budget import Budget

    return Budget(limit)


def connect_assistant(
    profile: Profile, configured: Configured, options: ConversationOptions, budget: Budget | None
) -> AssistantProxy:
    """The assistant of a profile, with the fallbacks of the options, within the budget.

    Every profile is connected here: one that lacks its key is an error now, not when it is needed.

    Raises:
        AsstError: a profile or its key is missing, or the budget can't be kept.
    """
    assistant = _connect(msgspec.structs.replace(profile, model=configured.model), budget)
    if not options.fallbacks:
        return assistant
    from ..providers.fallback import Candidate, with_fallbacks

    candidates = [Candidate(profile.name, assistant, configured.settings)]
    config = load_config()
    candidates += [_fallback(config.profile(name), options, budget) for name in options.fallbacks]
    return with_fallbacks(candidates)


def _fallback(profile: Profile, options: ConversationOptions, budget: Budget | None) -> Candidate:
    """A profile that answers in the place of another; of `-O` it gets what its own provider lists."""
    from ..config.settings import merge_settings, typed_settings
    from ..providers.fallback import Candidate

    table = provider_info(profile.provider).settings
    pairs = [pair for pair in options.settings or () if pair.partition("=")[0].strip().partition(".")[0] in table]
    settings = merge_settings(profile.settings, typed_settings(pairs, table).values)
    return Candidate(profile.name, _connect(profile, budget), settings)


def _connect(profile: Profile, budget: Budget | None) -> AssistantProxy:
    assistant = connect(profile)
    if budget is None:
        return assistant
    from ..providers.budget import within_budget

    return within_budget(assistant, budget, profile.name, profile.model)
