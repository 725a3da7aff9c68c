"""The assistant of a conversation from its parts: a profile's, those that answer in its place, and what they may cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ..core.roles import AssistantProxy
from .registry import connect
from .transport import WarmsUp

if TYPE_CHECKING:
    from ..config.profiles import Profile
    from .budget import Budget

__all__ = ["Asked", "assemble", "budget_of", "warm_up"]


class Asked(NamedTuple):
    """A profile that may answer, with its model, and what its API is sent beyond the conversation."""

    profile: Profile
    settings: Mapping[str, Any]


def budget_of(limit: float | None, profile: Profile, earlier: Budget | None = None) -> Budget | None:
    """What may be spent, in US dollars: `limit`, or else what the profile says; None for any amount.

    What was spent of an `earlier` budget counts.

    Raises:
        UsageError: that isn't a positive amount.
        NotSetUpError: `prices.toml` has an error.
    """
    if limit is None:
        limit = profile.max_cost
    if limit is None:
        return None
    from .budget import Budget

    budget = Budget(limit)
    if earlier is not None:
        budget.spent = earlier.spent
    return budget


def assemble(asked: Sequence[Asked], budget: Budget | None = None, *, client: Any = None) -> AssistantProxy:
    """The assistant of the first profile, with the others in its place when it fails, all within the budget.

    Every profile is connected here: one that lacks its key is an error now, not when it is needed. `client` is an SDK's client
    for the first one.

    Raises:
        NotSetUpError: a provider isn't installed, or something that it needs is missing.
        UsageError: the budget can't be kept, because a price is unknown.
    """
    first, *others = asked
    assistants = [connect(first.profile, client=client), *(connect(one.profile) for one in others)]
    if budget is not None:
        from .budget import within_budget

        pairs = zip(assistants, asked, strict=True)
        assistants = [within_budget(it, budget, one.profile.name, one.profile.model) for it, one in pairs]
    if not others:
        return assistants[0]
    from .fallback import Candidate, with_fallbacks

    pairs = zip(assistants, asked, strict=True)
    return with_fallbacks([Candidate(one.profile.name, it, one.settings) for it, one in pairs])


def warm_up(assistant: AssistantProxy) -> None:
    """Load what the first request to this assistant needs, such as an HTTP client: 0.1 s, in a thread while the person writes."""
    within_budget = getattr(assistant, "assistant", assistant)
    transport = getattr(within_budget, "transport", None)
    if isinstance(transport, WarmsUp):
        transport.warm_up()
