"""About what a batch costs, before anything is sent."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

import msgspec

from ..config.prices import prices_file
from ..core.codec import now
from ..core.errors import UsageError
from ..core.events import Configured
from ..providers.prices import PriceTable
from ..store.transcript import RequestEntry
from .item import Item
from .reading import Input

__all__ = ["ANSWER_TOKENS", "estimate", "price_known"]

BYTES_PER_TOKEN = 4
"""Of English, on average."""
ANSWER_TOKENS = 300
"""That an answer is reckoned with: nobody knows them before."""


def estimate(
    source: Input, configured: Configured, prices: PriceTable, limit: int | None, *, tier: str = ""
) -> tuple[Item, float | None, int]:
    """The first item, about what all of them cost in US dollars (None: the price is unknown), and their input tokens.

    `tier` is the `service_tier` of the requests.
    """
    first: Item | None = None
    tokens = count = 0
    for item in islice(source.items(lambda _: None), limit):
        first = first or item
        system = configured.instructions if item.system is None else item.system
        asked = len(item.prompt.encode()) + len(system.encode()) + len(msgspec.json.encode(item.history))
        tokens += asked // BYTES_PER_TOKEN + 1
        count += 1
    assert first is not None  # noqa: S101 - an input without items is refused before
    entry = RequestEntry(
        now(),
        configured.profile,
        configured.provider,
        first.model or configured.model,
        input=tokens // count,
        output=ANSWER_TOKENS,
        service_tier=tier,
    )
    cost = prices.cost(entry)
    return first, None if cost.unknown else round(float(cost.usd) * count, 4), tokens


def price_known(prices: PriceTable, configured: Configured) -> Callable[[Item], Item]:
    """A check that refuses an item that names a model whose price is unknown: its cost could not be limited."""
    known: dict[str, bool] = {}

    def check(item: Item) -> Item:
        if item.model and item.model not in known:
            entry = RequestEntry(now(), configured.profile, configured.provider, item.model, input=1, output=1)
            known[item.model] = not prices.cost(entry).unknown
        if item.model and not known[item.model]:
            raise UsageError(
                f"the price of {item.model} is unknown, so the cost can't be limited",
                f"Add it to {prices_file()}.",
                code="price_unknown",
                data={"key": "model", "file": str(prices_file())},
            )
        return item

    return check
