"""What requests cost, computed when somebody asks: the journal holds tokens, and money only where the server says it.

In this order: what the server says, the user's `prices.toml`, nothing for a local model, the table of `genai-prices` for the date
of the request. A price that none of them knows is unknown, and not 0. `genai-prices` takes 0.2 s to import, which is why
nothing else imports this module at its top.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from ..config.prices import OwnPrice, find_price, load_prices
from ..core.money import Cost
from ..store.transcript import ExchangeEntry, RequestEntry
from .registry import provider_info

__all__ = ["LOCAL", "PriceTable", "Rates", "steps"]

LOCAL = "local"
"""In `ProviderInfo.prices`: nothing is paid."""
_MILLION = 1_000_000
Number = int | Decimal


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
            return Cost(_own_cost(own, read, written, cached, stored) * count, priced=count)
        provider = self._id(request.provider)
        if provider == LOCAL:
            return Cost(local=count)
        found = _listed(provider, request.model, request.at, request.service_tier, (read, written, cached, stored))
        return Cost(unknown=count) if found is None else Cost(found.total_price * count, priced=count)

    def rates(self, provider: str, model: str, *, profile: str = "", at: str = "") -> Rates:
        """What a million tokens cost (of a small request), at this ISO 8601 time or now; zeros for a local model."""
        own = find_price(self._own, (profile, provider), model)
        found = _listed(self._id(provider), model, at, "", (1, 1, 0, 0))
        context = found.model.context_window if found is not None else None
        if own is not None:
            return Rates(Decimal(str(own.input)), Decimal(str(own.output)), context)
        if self._id(provider) == LOCAL:
            return Rates(Decimal(0), Decimal(0), context)
        if found is None:
            return Rates()
        price = found.model_price
        return Rates(_base(price.input_mtok), _base(price.output_mtok), context)

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


def _own_cost(price: OwnPrice, read: Decimal, written: Decimal, cached: Decimal, stored: Decimal) -> Decimal:
    usual = Decimal(str(price.input))
    parts = (
        (usual, read - cached - stored),
        (usual if price.cached is None else Decimal(str(price.cached)), cached),
        (usual if price.cache_write is None else Decimal(str(price.cache_write)), stored),
        (Decimal(str(price.output)), written),
    )
    return sum((rate * tokens for rate, tokens in parts), Decimal(0)) / _MILLION


def _listed(
    provider: str, model: str, at: str, tier: str, tokens: tuple[Number, Number, Number, Number]
) -> Any:  # a PriceCalculation
    """The price in the table of `genai-prices`; None if it has none. `tokens`: read, written, cached, written to the cache."""
    from genai_prices import Usage, calc_price

    read, written, cached, stored = tokens
    context = {"processing": "batch"} if tier == "batch" else {"service_tier": tier} if tier else None
    try:
        when = datetime.fromisoformat(at) if at else datetime.now(UTC)
        found = calc_price(
            Usage(input_tokens=read, output_tokens=written, cache_read_tokens=cached, cache_write_tokens=stored),
            model,
            provider_id=provider,
            genai_request_timestamp=when,
            price_context=context,
        )
    except (LookupError, ValueError):
        return None
    known = found.model_price.input_mtok is not None or found.model_price.output_mtok is not None
    return found if known else None


def _base(price: Any) -> Decimal | None:
    """The price of a small request."""
    base: Decimal | None = getattr(price, "base", price)
    return base
