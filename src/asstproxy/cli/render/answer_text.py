"""Which text of an event belongs to the answer, and has not been shown yet."""

from __future__ import annotations

from ...core.events import (
    ActionRequired,
    AssistantMessageRetrieved,
    ChunkReceived,
    Event,
    MessageIncomplete,
    Started,
    ToolOutputsSubmitted,
    Unknown,
)

__all__ = ["AnswerText"]


class AnswerText:
    """Folds events. The message that ends a request repeats its text, which counts only if no chunk came before it."""

    def __init__(self) -> None:
        self._streamed = False  # a chunk of this request's answer has come
        self._commented = False  # a chunk of commentary has come, which `ActionRequired` may repeat

    def feed(self, event: Event | Unknown) -> str:
        """The text that this event adds to the answer; empty for most events."""
        match event:
            case Started() | ToolOutputsSubmitted():
                self._streamed = self._commented = False
            case ChunkReceived(text=text, phase="answer"):
                self._streamed = True
                return text
            case ChunkReceived():
                self._commented = True
            case ActionRequired(text=text) if not self._streamed and not self._commented:
                return text
            case AssistantMessageRetrieved(text=text) | MessageIncomplete(text=text) if not self._streamed:
                return text
            case _:
                pass
        return ""
