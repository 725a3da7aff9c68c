"""How much of the model's context a conversation fills."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..core.history import AssistantMessage, History, ToolOutputs, UserMessage
from ..store.transcript import ExchangeEntry

__all__ = ["OFFER_FROM", "ContextUse", "context_use", "context_window", "window_of"]

OFFER_FROM = 0.8
"""The part of the context from which `/compact` is offered."""
_CHARACTERS = 4
"""Characters of a token, where no provider reports tokens: about right for English."""


@dataclass(frozen=True, slots=True)
class ContextUse:
    """Tokens that the next message carries, and the window of the model (0: unknown). `estimated`: no provider reported them."""

    tokens: int
    window: int = 0
    estimated: bool = False

    @property
    def part(self) -> float:
        """The part of the window that is full; 0 if it is unknown."""
        return self.tokens / self.window if self.window else 0.0


def context_use(exchanges: Sequence[ExchangeEntry], history: History, window: int = 0) -> ContextUse:
    """From what the provider reported for the last request; after a summary or a cut, and without a report, an estimate."""
    last = exchanges[-1] if exchanges else None
    if last is not None and last.requests and not (last.withdrawn or last.summarises):
        request = last.requests[-1]
        return ContextUse(request.input + request.output, window)
    return ContextUse(sum(map(len, _texts(history))) // _CHARACTERS, window, estimated=True)


def window_of(assistant: object) -> int:
    """The window of an assistant that knows its own, such as a local model; 0 if it doesn't."""
    return getattr(assistant, "context", 0) or 0


def context_window(profile: str, provider: str, model: str) -> int:
    """The tokens of a model's window, as far as the table of prices knows it; 0 if it doesn't. Takes 0.2 s the first time."""
    from .exchange_cost import prices

    return prices().rates(provider, model, profile=profile).context or 0


def _texts(history: History) -> list[str]:
    texts: list[str] = []
    for item in (item for exchange in history.exchanges for item in exchange):
        match item:
            case UserMessage(text=text):
                texts.append(text)
            case AssistantMessage(text=text, calls=calls):
                texts += [text, *(call.arguments for call in calls)]
            case ToolOutputs(results=results):
                texts += [result.output or result.error or "" for result in results]
    return texts
