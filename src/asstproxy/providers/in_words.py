"""The history in words, for an API whose conversations have no place for calls and their results."""

from __future__ import annotations

from collections.abc import Iterable

from ..core.history import AssistantMessage, Item, ToolOutputs, UserMessage
from .transport import JSON

__all__ = ["in_words"]


def in_words(items: Iterable[Item]) -> list[JSON]:
    """The conversation as messages, each with `role` (`user` or `assistant`, in turns) and `content`; none is empty."""
    messages: list[JSON] = []
    called: dict[str, str] = {}
    for item in items:
        role, content = "assistant", ""
        match item:
            case UserMessage(text):
                role, content = "user", text
            case AssistantMessage(text, calls):
                content, called = text, {call.call_id: f"{call.name}({call.arguments})" for call in calls}
            case ToolOutputs(results):
                given = [
                    (one.call_id, f": {one.output}" if one.error is None else f", which failed: {one.error}")
                    for one in results
                ]
                content = "\n".join(f"[Called {called.get(number, 'a function')}{result}]" for number, result in given)
        if messages and messages[-1]["role"] == role and content.strip():
            messages[-1]["content"] += f"\n\n{content}"
        elif content.strip():
            messages.append({"role": role, "content": content})
    return messages
