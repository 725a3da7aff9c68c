"""The event that closes an assistant's turn, and the words for it: one order of decisions for every provider."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ..core.errors import AssistantError
from ..core.events import ActionRequired, AssistantMessageRetrieved, Event, MessageIncomplete, Notice, ToolCall
from .answer_notes import WAITING, unshown, waits_for

__all__ = ["closing", "cut_by"]

CALLING = {"tool_calls", "function_call", "tool_use"}
WHOLE = {"stop", "eos", "eos_token", "end_turn", "stop_sequence", "end", *CALLING}
CUT = {"length", "model_length", "max_tokens", "max_output_tokens", "max_new_tokens"}
FILTERED = {"content_filter", "safety", "recitation", "blocklist", "prohibited_content", "spii", "refusal", "sensitive"}
BROKEN = {"error", "abort", "aborted", "cancelled", "network_error", "insufficient_system_resource", "timeout"}
INCOMPLETE = dict.fromkeys(CUT, "max_output_tokens") | dict.fromkeys(FILTERED, "content_filter")
INCOMPLETE |= dict.fromkeys(BROKEN, "broken")
"""What servers give as the reason why a turn ends, in small letters, and ours for an incomplete one."""
ODD = "The server ended its answer with the reason '{reason}', which asst doesn't know. The answer may not be whole."


def cut_by(reason: str) -> str:
    """Our reason for an answer that ended with a server's reason; empty if it is complete, or the reason is unknown."""
    return INCOMPLETE.get(reason, "")


def closing(
    text: str,
    calls: tuple[ToolCall, ...] = (),
    raw: Any = None,
    *,
    cut: str = "",
    waits: Iterable[str] = (),
    media: Iterable[str] = (),
    steps: Iterable[str] = (),
    reason: str | None = None,
    whole: bool = True,
) -> Iterator[Event]:
    """Notices, then the closing event.

    `cut`: the reason why the answer is incomplete; its calls may be cut, too, and are not made. `waits`: what the assistant waits
    for, in words, and asst cannot give. `media`, `steps`: see `unshown`. `reason`: the server's, where
    servers have many; an unknown one causes a notice. `whole`: the server said that the answer ends, so an empty one is an
    answer.

    Raises:
        AssistantError: there is nothing that could be an answer.
    """
    waiting, shown = list(waits), list(media)
    if waiting:
        yield waits_for(waiting)
        yield MessageIncomplete(text, WAITING)
    elif cut:
        yield MessageIncomplete(text, cut, raw)
    elif calls:
        yield ActionRequired(calls, text, raw)
    elif text and reason in CALLING:
        yield MessageIncomplete(text, "call_missing", raw)
    elif text or shown or (whole if reason is None else reason not in ("", "tool_calls")):
        if reason and reason not in WHOLE:
            yield Notice(ODD.format(reason=reason))
        yield from unshown(shown, steps, answered=bool(text))
        yield AssistantMessageRetrieved(text, raw)
    else:
        raise AssistantError("protocol", "The server's reply contains no answer.", "Check base_url.")
