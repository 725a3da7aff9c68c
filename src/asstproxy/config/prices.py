"""`prices.toml`: what the user's own servers cost, in US dollars for a million tokens.

```toml
[vllm]                            # a profile or a provider; "*" for any
"llama-3.3-70b" = { input = 0.20, output = 0.60, cached = 0.02, cache_write = 0.25 }
"*" = { input = 0.10, output = 0.30 }   # every other model of it
```

`cached` and `cache_write` cost what `input` does unless they are given.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import msgspec

from ..core.errors import NotSetUpError
from .paths import config_dir, ensure_private
from .toml import convert, line_of, read_toml

__all__ = ["OwnPrice", "find_price", "load_prices", "prices_file"]

ANY = "*"


class OwnPrice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """US dollars for a million tokens."""

    input: float
    output: float
    cached: float | None = None
    cache_write: float | None = None


OwnPrices = dict[str, dict[str, OwnPrice]]
"""Prices by profile or provider, then by model."""


def prices_file() -> Path:
    """The file with the user's own prices."""
    return config_dir() / "prices.toml"


def load_prices() -> OwnPrices:
    """The user's own prices; empty without a file.

    Raises:
        NotSetUpError: the file can't be read, or a price is invalid; the message has the line.
    """
    path = prices_file()
    ensure_private(path)
    prices: OwnPrices = {}
    for owner, table in read_toml(path).items():  # one by one: an error within a dict has no place
        models = convert(table, dict[str, Any], path, (owner,))
        prices[owner] = {model: convert(one, OwnPrice, path, (owner, model)) for model, one in models.items()}
    for owner, models in prices.items():
        for model, price in models.items():
            for name, value in msgspec.structs.asdict(price).items():
                if value is not None and not (math.isfinite(value) and value >= 0):
                    line = line_of(path, (owner, model, name)) or 1
                    raise NotSetUpError(
                        f"{path}, line {line}: {name} must be 0 or more, in US dollars for a million tokens.",
                        "Fix the file and try again.",
                    )
    return prices


def find_price(prices: OwnPrices, owners: tuple[str, ...], model: str) -> OwnPrice | None:
    """The price of a model: that of the first of `owners` (a profile, a provider) that has one, else that of `*`."""
    for owner in (*owners, ANY):
        if (table := prices.get(owner)) and (found := table.get(model) or table.get(ANY)):
            return found
    return None
