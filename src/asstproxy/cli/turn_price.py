"""What a turn cost, in words for its closing line; the prices take 0.2 s to load, which a thread does meanwhile."""

from __future__ import annotations

import contextlib
import threading

from ..core.errors import AsstError
from ..store.transcript import ExchangeEntry

__all__ = ["load_prices", "turn_price"]


def load_prices() -> None:
    """Load the prices in a thread, so that they are there when the turn is over."""

    def load() -> None:
        with contextlib.suppress(AsstError):  # of prices.toml; `/usage` says it
            from .exchange_cost import prices

            prices().rates("openai", "any")  # whatever the model is, the table is read for it

    threading.Thread(target=load, name="asst prices", daemon=True).start()


def turn_price(entry: ExchangeEntry) -> str:
    """`$0.0002`; empty if it cost nothing, or the price is unknown."""
    from .exchange_cost import exchange_cost

    try:
        cost = exchange_cost(entry)
    except AsstError:  # of prices.toml; `/usage` says it
        return ""
    return str(cost) if cost.priced else ""
