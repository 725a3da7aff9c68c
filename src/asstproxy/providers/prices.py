"""What requests cost, computed when somebody asks: the journal holds tokens, and money only where the server says it.

In this order: what the server says, the user's `prices.toml`, nothing for a local model, the table of `genai-prices` for the date
of the request. A price that none of them knows is unknown, and not 0. `genai-prices` takes 0.2 s to import, which is why
nothing else imports this module at its top.
"""

from __future__ import annotations

import bisect
import math
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from ..config.prices import OwnPrice, find_price, load_prices
from ..core.money import Cost
from ..store.transcript import ExchangeEntry, RequestEntry
from .batch_api import BATCH
from .registry import provider_info

__all__ = ["LOCAL", "PriceTable", "Rates", "steps"]

LOCAL = "local"
"""In `ProviderInfo.prices`: nothing is paid."""
HALF = Decimal("0.5")
"""What a request in a batch costs, where no table says it."""
_MILLION = 1_000_000


class Rates(NamedTuple):
    """US dollars for a million tokens, and the tokens of the model's context; None where unknown."""

    input: Decimal | None = None
    output: Decimal | None = None
    context: int | None = None


class PriceTable:
    """The prices that this user pays.

    Raises:
        NotSetUpError: `prices.toml` has an error.
    """

    def __init__(self) -> None:
        self._own = load_prices()
        self._listed = _Listed()
        self._ids: dict[str, str] = {}

    def cost_of(self, exchange: ExchangeEntry) -> Cost:
        """What an exchange cost so far. One that was answered without a report of its tokens has an unknown price."""
        if exchange.requests:
            return sum(map(self.cost, exchange.requests), Cost())
        return self.unreported(exchange.provider) if exchange.provider and exchange.answer else Cost()

    def unreported(self, provider: str, count: int = 1) -> Cost:
        """What requests cost whose provider doesn't report their tokens."""
        return Cost(local=count) if self._id(provider) == LOCAL else Cost(unknown=count)

    def cost(self, request: RequestEntry, count: int = 1) -> Cost:
        """What a request cost, or `count` requests of one model and hour whose tokens are summed in `request`.

        Their sizes must lie between the same two steps of the price (`steps`): then they cost what as many of average size do.
        """
        if request.cost is not None:
            return Cost(Decimal(str(request.cost)), priced=count)
        if not (request.input or request.output):
            return Cost()
        read, written = Decimal(request.input) / count, Decimal(request.output) / count
        cached = min(Decimal(request.cached) / count, read)
        stored = min(Decimal(request.cache_write) / count, read - cached)
        own = find_price(self._own, (request.profile, request.provider), request.model)
        if own is not None:
            part = HALF if request.service_tier == BATCH else 1
            return Cost(_own_rates(own).price(read, written, cached, stored) * part * count, priced=count)
        provider = self._id(request.provider)
        if provider == LOCAL:
            return Cost(local=count)
        rates = self._listed.rates(provider, request.model, request.at, request.service_tier, math.ceil(read))
        if rates is None:
            return Cost(unknown=count)
        return Cost(rates.price(read, written, cached, stored) * count, priced=count)

    def rates(self, provider: str, model: str, *, profile: str = "", at: str = "") -> Rates:
        """What a million tokens cost (of a small request), at this ISO 8601 time or now; zeros for a local model."""
        own = find_price(self._own, (profile, provider), model)
        found = self._listed.find(self._id(provider), model)
        context = found.model.context_window if found is not None else None
        if own is not None:
            rates = _own_rates(own)
        elif self._id(provider) == LOCAL:
            return Rates(Decimal(0), Decimal(0), context)
        elif (listed := self._listed.rates(self._id(provider), model, at, "", 1)) is not None:
            rates = listed
        else:
            return Rates()
        return Rates(rates.read * _MILLION, rates.written * _MILLION, context)

    def _id(self, provider: str) -> str:
        """The provider's name in the table."""
        if provider not in self._ids:
            self._ids[provider] = provider_info(provider).prices or provider
        return self._ids[provider]


def steps() -> list[int]:
    """The numbers of input tokens above which some model in the table costs more for each."""
    from genai_prices.data import providers
    from genai_prices.types import ModelPrice, TieredPrices

    found = set[int]()
    for model in (model for provider in providers for model in provider.models):
        prices = [model.prices] if isinstance(model.prices, ModelPrice) else [one.prices for one in model.prices]
        for price in (price for one in prices for price in vars(one).values()):
            if isinstance(price, TieredPrices):
                found.update(tier.start for tier in price.tiers)
    return sorted(found)


def _own_rates(price: OwnPrice) -> _TokenPrices:
    read = Decimal(str(price.input))
    return _TokenPrices(
        read / _MILLION,
        Decimal(str(price.output)) / _MILLION,
        (read if price.cached is None else Decimal(str(price.cached))) / _MILLION,
        (read if price.cache_write is None else Decimal(str(price.cache_write))) / _MILLION,
    )


class _TokenPrices(NamedTuple):
    """US dollars for one token of each kind."""

    read: Decimal
    written: Decimal
    cached: Decimal
    stored: Decimal

    def price(self, read: Decimal, written: Decimal, cached: Decimal, stored: Decimal) -> Decimal:
        """What a request costs; `read` includes what was read from the cache and written to it."""
        uncached = read - cached - stored
        return self.read * uncached + self.written * written + self.cached * cached + self.stored * stored


class _Listed:
    """The table of `genai-prices`. A price is looked up once for each model, date and size; requests are a multiplication then."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], Any] = {}
        self._rates: dict[tuple[object, ...], _TokenPrices] = {}
        self._steps: list[int] = []

    def find(self, provider: str, model: str) -> Any:
        """A price calculation for this model, which knows the model; None if the table doesn't have it, or no price of it."""
        if (provider, model) not in self._found:
            found = _calculate(provider, model, datetime.now(UTC), "", 1, 1)
            if found is not None and found.model_price.input_mtok is None and found.model_price.output_mtok is None:
                found = None
            self._found[provider, model] = found
        return self._found[provider, model]

    def rates(self, provider: str, model: str, at: str, tier: str, size: int) -> _TokenPrices | None:
        """What a token costs in a request of this time (ISO 8601; empty: now), tier and size (input tokens)."""
        if (found := self.find(provider, model)) is None:
            return None
        try:
            when = datetime.fromisoformat(at) if at else datetime.now(UTC)
            prices = found.model.get_prices(when)
        except (ValueError, TypeError):  # no time, or one without a zone
            return None
        self._steps = self._steps or steps()
        key = (provider, model, tier, at[:13] if tier else id(prices), bisect.bisect_left(self._steps, size))
        if key not in self._rates:
            size = max(size, 1)
            parts = [(size, 0, 0, 0), (size, size, 0, 0), (size, 0, size, 0), (size, 0, 0, size)]
            alone, *more = [_calculate(provider, model, when, tier, *part).total_price for part in parts]
            written, cached, stored = ((total / size) for total in (more[0] - alone, more[1], more[2]))
            rates = _TokenPrices(alone / size, written, cached, stored)
            if tier == BATCH and rates == self.rates(provider, model, at, "", size):  # the table has no price for it
                rates = _TokenPrices(*(HALF * rate for rate in rates))
            self._rates[key] = rates
        return self._rates[key]


def _calculate(
    provider: str, model: str, when: datetime, tier: str, read: int, written: int, cached: int = 0, stored: int = 0
) -> Any:  # a PriceCalculation
    from genai_prices import Usage, calc_price

    usage = Usage(input_tokens=read, output_tokens=written, cache_read_tokens=cached, cache_write_tokens=stored)
    context = {"processing": "batch"} if tier == BATCH else {"service_tier": tier} if tier else None
    try:
        return calc_price(usage, model, provider_id=provider, genai_request_timestamp=when, price_context=context)
    except (LookupError, ValueError):
        return None
