"""How an exchange spent its time: a fold of its records into spans of waiting, streaming, tools and approval."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from ..core.codec import to_unix_time
from ..core.events import Event, Record, SetUserMessage, ToolFinished, ToolStarted
from ..core.script import ACTIVE, STEPS, State

__all__ = ["ExchangeSpans", "Kind", "Span", "exchange_spans"]

Kind = Literal["waiting", "streaming", "tools", "approval"]
_KINDS: dict[State, Kind] = {
    State.STREAMING: "streaming",
    State.REQUIRES_ACTION: "tools",
    State.TOOLS_EXECUTED: "tools",
    State.AWAITING_APPROVAL: "approval",
}


class Span(msgspec.Struct):
    """From `start` to `end`, in seconds since the exchange began. `name`: the tool, for the span of a call."""

    kind: Kind
    start: float
    end: float
    name: str = ""


class ExchangeSpans(msgspec.Struct):
    """One exchange: the user's message, its last state, and its spans in order; `tools` has a span for each call."""

    number: int
    user: str
    at: str
    state: State
    seconds: float = 0.0
    spans: list[Span] = []
    tools: list[Span] = []

    def total(self, kind: Kind) -> float:
        """Seconds of one kind, in total."""
        return sum(span.end - span.start for span in self.spans if span.kind == kind)


def exchange_spans(records: Iterable[Record]) -> list[ExchangeSpans]:
    """The spans of every exchange. No time is negative, even if the clock was set back."""
    found: list[ExchangeSpans] = []
    clock = _Clock()
    open_tools: dict[str, Span] = {}
    for record in records:
        at = clock.read(record.at)
        if isinstance(record.event, SetUserMessage):
            clock.begin()
            found.append(ExchangeSpans(len(found) + 1, record.event.text, record.at, record.state))
            found[-1].spans.append(Span("waiting", 0.0, 0.0))
            open_tools = {}
            continue
        if not found or found[-1].state not in ACTIVE:
            continue
        exchange = found[-1]
        exchange.seconds = exchange.spans[-1].end = at
        if record.event.type in STEPS:
            exchange.state = record.state
            _enter(exchange, record.state, at)
        _tool(exchange, open_tools, record.event, at)
    return found


def _enter(exchange: ExchangeSpans, state: State, at: float) -> None:
    kind = _KINDS.get(state, "waiting")
    if state in ACTIVE and exchange.spans[-1].kind != kind:
        exchange.spans.append(Span(kind, at, at))


def _tool(exchange: ExchangeSpans, open_tools: dict[str, Span], event: Event | object, at: float) -> None:
    match event:
        case ToolStarted(call_id=call_id, name=name):
            open_tools[call_id] = Span("tools", at, at, name)
            exchange.tools.append(open_tools[call_id])
        case ToolFinished(result=result) if result.call_id in open_tools:
            open_tools.pop(result.call_id).end = at
    for span in open_tools.values():
        span.end = at


class _Clock:
    def __init__(self) -> None:
        self._last = self._began = self._back = 0.0

    def read(self, at: str) -> float:
        """Seconds since the exchange began; they never decrease."""
        now = to_unix_time(at) + self._back
        if now < self._last:
            self._back += self._last - now
            now = self._last
        self._last = now
        return now - self._began

    def begin(self) -> None:
        self._began = self._last
