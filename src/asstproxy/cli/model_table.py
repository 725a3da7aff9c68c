"""`asst models`: the provider's own list of models, joined with what is known of their prices."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from ..config.profiles import load_config
from ..config.who_answers import choose_profile
from ..core.errors import NotSetUpError
from ..providers.model_list import ModelInfo, list_models
from ..providers.prices import PriceTable
from ..providers.registry import provider_module
from ..text.figures import short_count
from ..text.safe_text import clean_line
from .exit_codes import OK
from .render.table import Column, table_lines
from .sessions.listing import print_json

__all__ = ["notes_text", "price_text", "print_models", "with_prices"]

_COLUMNS = (Column("Model"), Column("In / out per 1M", right=True), Column("Context", right=True), Column("Notes"))


async def print_models(profile_name: str, *, as_json: bool) -> int:
    """Print the models of a profile's provider; returns the exit code. In a pipe: fields with tabs between them, no header.

    Raises:
        NotSetUpError: the profile or its key is missing, or its provider has no list.
        AssistantError: the provider can't be reached, or refuses.
    """
    profile = choose_profile(load_config(), profile_name)
    if not hasattr(provider_module(profile), "models"):
        raise NotSetUpError(f"{profile.provider} has no list of models.", "Its own documentation names them.")
    prices = PriceTable()
    models = [with_prices(one, profile.name, profile.provider, prices) for one in await list_models(profile)]
    if as_json:
        print_json(map(_object, models))
    elif not models:
        sys.stderr.write(f"{profile.name}: the provider lists no models.\n")
    elif sys.stdout.isatty():
        rows = [
            (one.id, price_text(one), short_count(one.context) if one.context else "", notes_text(one))
            for one in models
        ]
        for line in table_lines(_COLUMNS, [[clean_line(cell) for cell in row] for row in rows]):
            sys.stdout.write(f"{line}\n")
    else:
        for one in models:
            fields: Sequence[object] = (
                one.id,
                one.note,
                one.context or "",
                "" if one.input_price is None else f"{one.input_price:g}",
                "" if one.output_price is None else f"{one.output_price:g}",
                one.shutdown,
            )
            sys.stdout.write("\t".join(clean_line(str(field)) for field in fields) + "\n")
    return OK


def with_prices(model: ModelInfo, profile: str, provider: str, prices: PriceTable) -> ModelInfo:
    """The model, with the prices that are known; the provider's own list wins over the table."""
    rates = prices.rates(provider, model.id, profile=profile)
    known = model.input_price is not None and model.output_price is not None
    return ModelInfo(
        model.id,
        model.note,
        model.shutdown,
        model.context or rates.context or 0,
        model.input_price if known else _number(rates.input),
        model.output_price if known else _number(rates.output),
    )


def _number(price: Any) -> float | None:
    return None if price is None else float(price)


def price_text(model: ModelInfo) -> str:
    """What a million tokens cost, in and out: `$2.00 / $10.00`, `free`, `?`."""
    if model.input_price is None or model.output_price is None:
        return "?"
    if not (model.input_price or model.output_price):
        return "free"
    return f"{_amount(model.input_price)} / {_amount(model.output_price).rjust(6)}"


def _amount(price: float) -> str:
    """A price for a million tokens: `$2.00`, `$0.075`."""
    text = f"{price:.4f}".rstrip("0")
    return f"${price:.2f}" if len(text.partition(".")[2]) <= 2 else f"${text}"


def notes_text(model: ModelInfo, *, in_use: bool = False) -> str:
    """When it is shut down, whether it is in use, what it is good for: what matters most comes first, for the end may be cut."""
    shutdown = f"shuts down {model.shutdown}" if model.shutdown else ""
    return " · ".join(filter(None, (shutdown, "in use" if in_use else "", model.note)))


def _object(model: ModelInfo) -> dict[str, Any]:
    return {
        "id": model.id,
        "note": model.note,
        "context": model.context or None,
        "input_price": model.input_price,
        "output_price": model.output_price,
        "shutdown": model.shutdown or None,
    }
