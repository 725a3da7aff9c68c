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
        self.usage: Usage | None = None
        self.tools = 0
        self.has_answer = False
        self._fold: TranscriptBuilder | None = None
        if configured is not None:
            self._fold = TranscriptBuilder()
            self._fold.feed(configured)

    def fold(self, record: Record) -> None:
        """Fold the next record."""
        match record.event:
            case Usage() as usage:
                self.usage = _sum(self.usage or Usage(), usage)
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

    @property
    def output_tokens(self) -> int:
        """Tokens that the assistant wrote, as far as they are known."""
        return self.usage.output_tokens if self.usage is not None else 0

    def price(self, cost: Callable[[ExchangeEntry], str] | None) -> str:
        """What the exchange cost, in words; empty if nobody knows."""
        exchanges = self._fold.transcript.exchanges if self._fold is not None else []
        return cost(exchanges[-1]) if cost is not None and exchanges else ""


def _sum(one: Usage, other: Usage) -> Usage:
    return Usage(
        one.input_tokens + other.input_tokens,
        one.output_tokens + other.output_tokens,
        one.cached_tokens + other.cached_tokens,
        one.reasoning_tokens + other.reasoning_tokens,
    )
