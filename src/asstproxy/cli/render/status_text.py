"""How an exchange ended, in words, when it did not simply complete."""

from __future__ import annotations

from rich.text import Text

from asstproxy.core.events import Cancelled, ErrorOccurred, Event, MessageIncomplete, Unknown

from .safe_text import clean_line

__all__ = ["ending"]

_INCOMPLETE = {
    "max_output_tokens": "it reached the limit on its length",
    "content_filter": "the provider's content filter stopped it",
    "expired": "the provider gave it up after too long a time",
    "tool_rounds": "the assistant went on asking for tools",
}
_CANCELLED = {
    "user": "Cancelled.",
    "timeout": "Cancelled: the time limit was reached.",
    "terminated": "Cancelled: asst was told to end.",
}


def ending(event: Event | Unknown) -> list[Text]:
    """The lines that say what happened and what to do; none for a completed exchange."""
    match event:
        case ErrorOccurred(message=message, hint=hint):
            lines = [Text.assemble(("Error", "asst.error"), (" ▸ ", "dim"), clean_line(message))]
            return [*lines, Text(f"  {clean_line(hint)}")] if hint else lines
        case MessageIncomplete(reason=reason):
            why = _INCOMPLETE.get(reason) or clean_line(reason)
            part = f"this is a part of the answer: {why}."
            return [Text.assemble(("Incomplete", "asst.warning"), (" ▸ ", "dim"), part)]
        case Cancelled(reason=reason):
            return [Text(_CANCELLED.get(reason, "Cancelled."), style="asst.warning")]
    return []
