"""Which text of an event belongs to the answer, and has not been shown yet."""

from __future__ import annotations

from ...core.events import (
    ActionRequired,
    AssistantMessageRetrieved,
    ChunkReceived,
    Event,
    MessageIncomplete,
    SchemaMismatch,
    SetUserMessage,
    Started,
    ToolOutputsSubmitted,
    Unknown,
)

__all__ = ["AnswerText"]


class AnswerText:
    """Folds events. The message that ends a request repeats its text, which counts only if no chunk came before it.

    An answer that must fit a schema has not been validated before that message: only then is its text there, if it fits.
    """

    def __init__(self) -> None:
        self.has_schema = False
        self._streamed = False  # a chunk of this request's answer has come
        self._commented = False  # a chunk of commentary has come, which `ActionRequired` may repeat

    def feed(self, event: Event | Unknown) -> str:
        """The text that this event adds to the answer; empty for most events."""
        match event:
            case SetUserMessage(schema=schema):
                self.has_schema = schema is not None
            case AssistantMessageRetrieved(text=text) if self.has_schema:
                return text
            case ChunkReceived() | ActionRequired() | MessageIncomplete() | SchemaMismatch() if self.has_schema:
                pass
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
