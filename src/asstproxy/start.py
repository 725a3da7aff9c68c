"""The shortest way to start a conversation from a program."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from .config.profiles import load_config
from .config.who_answers import configure
from .core.conversation import Conversation
from .core.turn import Options
from .providers.assembly import Asked, assemble, budget_of
from .store.session import Session
from .user import UserProxy

__all__ = ["start_conversation"]


def start_conversation(
    profile: str,
    *,
    model: str = "",
    instructions: str | None = None,
    tools: Iterable[Callable[..., Any]] = (),
    settings: dict[str, Any] | None = None,
    client: Any = None,
    options: Options | None = None,
    mediator: str = "state-machine",
    session: Session | None = None,
    fallbacks: Iterable[str] = (),
    max_cost: float | None = None,
) -> UserProxy:
    """Start a conversation with the assistant of a profile (`gpt`, `gemini`, `local`, or the user's own).

    Returns the user proxy, which sends messages and gets answers. Arguments override the profile. `client` is a client of the
    vendor's SDK, to be used instead of our own transport. `session` (`Store().create()` or `.open(id)`) keeps every record;
    without one nothing is saved. `fallbacks` are profiles that answer, in this order, when the ones before fail before their first
    piece. `max_cost` is in US dollars: a request that could make the conversation cost more is not sent, and the exchange ends as
    incomplete.

    Raises:
        NotSetUpError: a profile, its key or something else that it needs is missing.
        UsageError: a tool cannot be described, the mediator is unknown, or a price is, so that `max_cost` can't be kept.
    """
    config = load_config()
    chosen = config.profile(profile)
    chosen = msgspec.structs.replace(chosen, model=model or chosen.model)
    wanted = {**chosen.settings, **(settings or {})}
    others = [config.profile(name) for name in fallbacks]
    asked = [Asked(chosen, wanted), *(Asked(other, other.settings) for other in others)]
    user = UserProxy(tools)
    conversation = Conversation(
        assemble(asked, budget_of(max_cost, chosen), client=client),
        user,
        configured=configure(chosen, None, instructions=instructions, tools=tuple(user.tools), settings=wanted),
        mediator=mediator,
        options=options,
        past=session.past if session else (),
        files=session.files if session else None,
    )
    if session is not None:
        conversation.subscribe(session, essential=True)
    return user
