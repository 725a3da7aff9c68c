"""The event that closes an assistant's turn, and the words for it: one order of decisions for every provider."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from ..core.errors import AssistantError
from ..core.events import ActionRequired, AssistantMessageRetrieved, Event, MessageIncomplete, Notice, ToolCall
from .answer_notes import WAITING, unshown, waits_for

__all__ = ["CALLING", "closing", "cut_by", "is_whole", "later_reason"]

CALLING = {"tool_calls", "tool_call", "function_call", "function_calls", "tool_use"}
READINGS = (
    (
        "content_filter",
        r"filter|safety|recitation|blocklist|blocked|prohibited|spii|refus|sensitive|moderat|guardrail|toxic",
    ),
    ("broken", r"error|fail|abort|cancel|network|insufficient|time_?out|interrupt|incomplete|preempt|disconnect"),
    ("context_length", r"context"),
    ("max_output_tokens", r"length|max_|^limit|_limit|^budget"),
    ("", r"^stop|^end|^eos|^eot|^complete|^finish|^done$|^success|^normal$"),
)
"""What servers give as the reason why a turn ends, in small letters, and ours for an incomplete one; empty: the turn is whole.
The first that is found counts."""
ODD = "The server ended its answer with the reason '{reason}', which asst doesn't know. The answer may not be whole."


def cut_by(reason: str) -> str:
    """Our reason for an answer that ended with a server's reason; empty if it is complete, or the reason is unknown."""
    return _reading(reason) or ""


def is_whole(reason: str) -> bool:
    """Whether an answer that ended with this reason is whole, and no call was announced."""
    return _reading(reason) == ""


def later_reason(before: str, now: str) -> str:
    """The reason that counts if nothing came between the two: gateways add a `stop` of their own to an answer that was cut."""
    return before if not now or (cut_by(before) and is_whole(now)) else now


def _reading(reason: str) -> str | None:
    reason = reason.lower().rpartition(".")[2].replace("-", "_")  # some write `FinishReason.STOP`
    if reason in CALLING:
        return None
    return next((ours for ours, found in READINGS if re.search(found, reason)), None) if reason else None


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
        if reason and reason not in CALLING and not is_whole(reason):
            yield Notice(ODD.format(reason=reason))
        yield from unshown(shown, steps, answered=bool(text))
        yield AssistantMessageRetrieved(text, raw)
    else:
        raise AssistantError("protocol", "The server's reply contains no answer.", "Check base_url.")
