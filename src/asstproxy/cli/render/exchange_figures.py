"""The figures of one exchange: its tokens, its tools, its price."""

from __future__ import annotations

from collections.abc import Callable

from ...core.events import (
    ActionRequired,
    AssistantMessageRetrieved,
    ChunkReceived,
    MessageIncomplete,
    Reasoning,
    Record,
    ToolStarted,
    Usage,
)
from ...store.transcript import ExchangeEntry, TranscriptBuilder

__all__ = ["Figures"]


class Figures:
    """Folds the records of an exchange. `configured`: the record that says who answers, if a price will be asked for."""

    def __init__(self, configured: Record | None = None) -> None:
        self.tokens: tuple[int, int] | None = None  # read and written, as far as they are known
        self.tools = 0
        self.has_answer = False
        self._fold: TranscriptBuilder | None = None
        if configured is not None:
            self._fold = TranscriptBuilder()
            self._fold.feed(configured)

    def fold(self, record: Record) -> None:
        """Fold the next record."""
        match record.event:
            case Usage(input_tokens=read, output_tokens=written):
                before = self.tokens or (0, 0)
                self.tokens = (before[0] + read, before[1] + written)
            case ToolStarted():
                self.tools += 1
            case ChunkReceived(phase="answer"):
                self.has_answer = True
            case ActionRequired(text=text) | AssistantMessageRetrieved(text=text) | MessageIncomplete(text=text):
                self.has_answer = self.has_answer or bool(text)
            case _:
                pass
        if self._fold is not None and not isinstance(record.event, ChunkReceived | Reasoning):  # text costs memory only
            self._fold.feed(record)

    def price(self, cost: Callable[[ExchangeEntry], str] | None) -> str:
        """What the exchange cost, in words; empty if unknown."""
        exchanges = self._fold.transcript.exchanges if self._fold is not None else []
        return cost(exchanges[-1]) if cost is not None and exchanges else ""
