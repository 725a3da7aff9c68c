"""The result of an item, and its line in the output."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from ..core.codec import to_unix_time
from ..core.events import Cancelled, ErrorOccurred, MessageIncomplete, Record, SetUserMessage
from ..core.money import Cost
from ..core.script import State
from ..store.transcript import ExchangeEntry, Tokens, TranscriptBuilder

if TYPE_CHECKING:
    from ..core.events import Event, Unknown

__all__ = ["BatchLine", "ItemError", "Prices", "Result", "failed", "result_of"]


class Prices(Protocol):
    """Knows what an exchange cost; see `providers.prices.PriceTable`."""

    def cost_of(self, exchange: ExchangeEntry) -> Cost:
        """What an exchange cost."""


class ItemError(msgspec.Struct, frozen=True):
    """Why an item failed; `kind` as in `ErrorOccurred`, or `incomplete`."""

    kind: str
    message: str
    hint: str = ""


class Result(msgspec.Struct, frozen=True):
    """What became of an item. With a schema, `data` is what the answer says in JSON.

    `state` is that of its exchange; only `completed` is a success. An incomplete answer says why in `reason`. `usage` is in
    tokens, `cost` in US dollars (None: the price is unknown), `seconds` from the first request to the end. `model` answered.
    """

    id: str
    answer: str = ""
    data: Any = None
    state: State = State.ERROR
    usage: Tokens = msgspec.field(default_factory=Tokens)
    cost: float | None = None
    seconds: float = 0.0
    error: ItemError | None = None
    reason: str = ""
    model: str = ""

    @property
    def is_failed(self) -> bool:
        """Whether it has no whole answer."""
        return self.state is not State.COMPLETED


class BatchLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line that `asst batch` writes: what became of one item.

    `answer` is the text, complete or in part; `data`, instead of it, is a complete answer to a schema. Only `completed` is a
    success: `reason` says why an answer is incomplete, and `error` why an item failed. `model` answered. `usage` counts tokens,
    over all requests. `cost` is in US dollars, and null if the price is unknown. `seconds` are those from the first request to
    the end.
    """

    id: str
    answer: str | msgspec.UnsetType = msgspec.UNSET
    data: Any = msgspec.UNSET
    state: State
    reason: str | None
    error: ItemError | None
    model: str
    usage: Tokens
    cost: float | None
    seconds: float

    @classmethod
    def of(cls, result: Result) -> BatchLine:
        """The line of a result."""
        return cls(
            id=result.id,
            answer=result.answer if result.data is None else msgspec.UNSET,
            data=msgspec.UNSET if result.data is None else result.data,
            state=result.state,
            reason=result.reason or None,
            error=result.error,
            model=result.model,
            usage=result.usage,
            cost=result.cost,
            seconds=result.seconds,
        )


def failed(item: str, kind: str, message: str, hint: str = "") -> Result:
    """The result of an item that could not be asked."""
    return Result(item, error=ItemError(kind, message, hint))


def result_of(item: str, records: Iterable[Record], prices: Prices | None) -> Result:
    """The result that these records of an item have led to."""
    fold, last, has_schema = TranscriptBuilder(), None, False
    for record in records:
        if isinstance(record.event, SetUserMessage):
            has_schema = record.event.schema is not None
        fold.feed(record)
        last = record
    if last is None or not fold.transcript.exchanges:
        return failed(item, "interrupted", "It was not asked.")
    entry = fold.transcript.exchanges[-1]
    return Result(
        item,
        answer=entry.answer,
        data=msgspec.json.decode(entry.answer) if has_schema and entry.state is State.COMPLETED else None,
        state=entry.state,
        usage=entry.usage,
        cost=_dollars(prices.cost_of(entry)) if prices is not None else None,
        seconds=round(max(to_unix_time(last.at) - to_unix_time(entry.started), 0.0), 3),
        error=_error(last.event),
        reason=_reason(last.event),
        model=entry.model,
    )


def _dollars(cost: Cost) -> float | None:
    if cost.unknown:
        return None
    return float(cost.usd.quantize(Decimal("0.00000001"))) if cost else None


def _error(event: Event | Unknown) -> ItemError | None:
    match event:
        case ErrorOccurred(kind=kind, message=message, hint=hint):
            return ItemError(kind, message, hint)
        case Cancelled():
            return ItemError("cancelled", "It was stopped.")
    return None


def _reason(event: Event | Unknown) -> str:
    return event.reason if isinstance(event, MessageIncomplete) else ""
