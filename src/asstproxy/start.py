"""The shortest way to start a conversation from a program."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from .config.profiles import load_config
from .core.conversation import Conversation
from .core.events import Configured
from .core.turn import Options
from .providers import connect
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
) -> UserProxy:
    """Start a conversation with the assistant of a profile (`gpt`, `gemini`, `local`, or the user's own).

    Returns the user proxy, which sends messages and gets answers. Arguments override the profile. `client` is a client of the
    vendor's SDK, to be used instead of our own transport. `session` (`Store().create()` or `.open(id)`) keeps every record;
    without one nothing is saved.

    Raises:
        NotSetUpError: the profile, its key or something else that it needs is missing.
        UsageError: a tool cannot be described, or the mediator is unknown.
    """
    chosen = load_config().profile(profile)
    user = UserProxy(tools)
    conversation = Conversation(
        connect(msgspec.structs.replace(chosen, model=model or chosen.model), client=client),
        user,
        configured=Configured(
            profile=chosen.name,
            provider=chosen.provider,
            model=model or chosen.model,
            instructions=chosen.instructions if instructions is None else instructions,
            tools=tuple(user.tools),
            settings={**chosen.settings, **(settings or {})},
        ),
        mediator=mediator,
        options=options,
        past=session.past if session else (),
        files=session.files if session else None,
    )
    if session is not None:
        conversation.subscribe(session, essential=True)
    return user
