"""What an exchange cost, for the line after it and for `--json`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from ..core.events import Record
from ..core.money import Cost
from ..providers.prices import PriceTable
from ..store.transcript import ExchangeEntry, TranscriptBuilder
from ..text.closing import Closing
from ..text.figures import seconds_between

__all__ = ["CostLine", "closing_line", "exchange_cost", "exchange_price", "json_cost", "prices"]


@cache
def prices() -> PriceTable:
    """The prices; read once.

    Raises:
        NotSetUpError: `prices.toml` has an error.
    """
    return PriceTable()


def exchange_cost(entry: ExchangeEntry) -> Cost:
    """What an exchange cost.

    Raises:
        NotSetUpError: `prices.toml` has an error.
    """
    return prices().cost_of(entry)


def closing_line(entry: ExchangeEntry, cost: Cost | None = None) -> str:
    """One line about an exchange that has settled: `completed · 7.5 s · 10 → 14 tokens · $0.0002 · 1 tool`.

    `cost` is what it cost, if that is known already.
    """
    usage = entry.usage
    tokens = (usage.input, usage.output) if usage.input or usage.output else None
    price = str(exchange_cost(entry) if cost is None else cost)
    seconds = seconds_between(entry.started, entry.updated)
    return str(Closing(str(entry.state), seconds, tokens, price, len(entry.tools)))


def json_cost(cost: Cost) -> dict[str, Any]:
    """A cost as JSON: `usd` is None when no price is known, and 0 for a local model; `text` as it is printed."""
    known = cost.priced or (cost.local and not cost.unknown)
    return {"usd": round(float(cost.usd), 9) if known else None, "unknown_requests": cost.unknown, "text": str(cost)}


def exchange_price(entry: ExchangeEntry) -> dict[str, Any]:
    """What an exchange cost, as JSON."""
    return json_cost(exchange_cost(entry))


class CostLine:
    """Folds the records of an exchange; `line` is its closing line. `past`: the records of the session before it."""

    def __init__(self, past: Sequence[Record] = ()) -> None:
        self._fold = TranscriptBuilder()
        for record in past:
            self._fold.feed(record)

    def __call__(self, record: Record) -> None:
        """Fold a record."""
        self._fold.feed(record)

    def line(self) -> str:
        """The closing line of the last exchange; empty without one."""
        exchanges = self._fold.transcript.exchanges
        return closing_line(exchanges[-1]) if exchanges else ""
