"""The event that closes an assistant's turn, with what a person is told of it: one order of decisions for every provider."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ..core.errors import AssistantError
from ..core.events import ActionRequired, AssistantMessageRetrieved, Event, MessageIncomplete, ToolCall
from .unshown import WAITING, unshown, waits_for

__all__ = ["closing"]


def closing(
    text: str,
    calls: tuple[ToolCall, ...] = (),
    raw: Any = None,
    *,
    cut: str = "",
    waits: Iterable[str] = (),
    media: Iterable[str] = (),
    steps: Iterable[str] = (),
    whole: bool = True,
) -> Iterator[Event]:
    """Notices, then the closing event.

    `cut`: the reason why the answer is incomplete; its calls may be cut, too, and are not made. `waits`: what the assistant waits
    for, in words, and asst cannot give. `media`, `steps`: see `unshown`. `whole`: the server said that the answer ends, so an
    empty one is an answer.

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
    elif text or shown or whole:
        yield from unshown(shown, steps, answered=bool(text))
        yield AssistantMessageRetrieved(text, raw)
    else:
        raise AssistantError("protocol", "The server's reply contains no answer.", "Check base_url.")
