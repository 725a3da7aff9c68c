"""How the assistant is asked: the options of a conversation, and the turn that is made for one exchange."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from .events import Configured
from .history import History
from .retry import RetryPolicy
from .roles import AssistantProxy, ToolSpec, Turn

__all__ = ["Options", "turn_for"]


class Options(msgspec.Struct, frozen=True):
    """How exchanges are held.

    `stream`, `background`: how the assistant is asked. `max_tool_rounds`: rounds of tool calls in one exchange, after which
    it ends as incomplete. `patience`: heartbeats and retries.
    """

    stream: bool = True
    background: bool = False
    max_tool_rounds: int = 20
    patience: RetryPolicy = RetryPolicy()


def turn_for(
    text: str,
    asked: Configured,
    assistant: AssistantProxy,
    history: History,
    tools: Iterable[ToolSpec],
    options: Options,
    *,
    running: Any = None,
) -> Turn:
    """Everything that the provider needs; `running` is the token of an exchange that is taken up again."""
    model = asked.model or assistant.model
    return Turn(
        text=text,
        history=history.items(assistant.provider, model, under_way=running is not None),
        instructions=asked.instructions,
        model=model,
        tools=tuple(tools),
        settings=asked.settings,
        resume=running or history.resume(assistant.provider),
        stream=options.stream,
        background=options.background,
    )
