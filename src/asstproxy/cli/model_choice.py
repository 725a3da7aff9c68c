"""The models of a provider to choose from: their prices, contexts and notes, and the choice itself."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec
from rich.cells import cell_len

from ..config.profiles import Profile
from ..core.errors import AsstError
from ..providers.model_list import ModelInfo, list_models
from ..providers.registry import provider_info
from ..text.figures import short_count
from ..text.safe_text import clean_line
from .exchange_cost import prices
from .model_table import notes_text, price_text, with_prices
from .picker import Table, pick
from .render.truncate import pad, truncate

__all__ = ["KnownModels", "ModelTable", "known_models", "pick_model"]

_WITHIN = 15.0
"""Seconds that a provider has for its list."""
_NOTES = len("ends 2027-02-01")
"""Columns that the notes keep before another column is left out."""
_SHUTDOWN = len("shuts down 2027-02-01")


class KnownModels(msgspec.Struct, frozen=True):
    """Models with their prices; `problem`: why the provider's own list is not among them."""

    models: list[ModelInfo]
    problem: str = ""


async def known_models(profile: Profile, in_use: str = "") -> KnownModels:
    """The provider's list; if it can't be read, the models that asst knows. The one in use is always there."""
    problem, listed = "", list[ModelInfo]()
    try:
        async with asyncio.timeout(_WITHIN):
            listed = await list_models(profile)
    except TimeoutError:
        problem = f"No answer within {_WITHIN:.0f} s."
    except AsstError as error:
        problem = str(error)
    info = provider_info(profile.provider)
    if not listed:
        listed = [ModelInfo(name, note) for name, note in info.models.items()]
    if in_use and all(one.id != in_use for one in listed):
        listed.insert(0, ModelInfo(in_use))
    table = await asyncio.to_thread(prices)
    return KnownModels([with_prices(one, profile.name, profile.provider, table) for one in listed], problem)


class ModelTable:
    """Draws models as lines: name, price, context, notes."""

    def __init__(self, models: Sequence[ModelInfo], in_use: str = "") -> None:
        self.rows = [
            (
                clean_line(one.id),
                price_text(one),
                short_count(one.context) if one.context else "?",
                clean_line(notes_text(one, in_use=one.id == in_use)),
            )
            for one in models
        ]

    def __call__(self, width: int) -> Table:
        """For this many columns: the notes are cut first, then the context is left out, then names are cut."""
        heading = ("Model", "In / out per 1M", "Context", "Notes")
        name, price, context, notes = (max(cell_len(row[i]) for row in (heading, *self.rows)) for i in range(4))
        has_context = name + price + context + min(notes, _NOTES) + 6 <= width
        name = min(name, max(width - price - 2 - (context + 2 if has_context else 0), 8))

        def line(row: Sequence[str]) -> str:
            cells = [pad(truncate(row[0], name), name), row[1].rjust(price)]
            if has_context:
                cells.append(row[2].rjust(context))
            start = "  ".join(cells)
            room = max(width - cell_len(start) - 2, 0)
            text = row[3] if room >= _SHUTDOWN else row[3].replace("shuts down ", "ends ")
            return f"{start}  {truncate(text, room)}".rstrip()

        return Table(line(heading), [line(row) for row in self.rows])


async def pick_model(models: Sequence[ModelInfo], in_use: str, *, default: str = "") -> str | None:
    """Let the person choose a model, or type the name of another; None: back."""
    table = ModelTable(models, in_use)
    return await pick(
        [one.id for one in models], table, default or in_use, free=True, words=[row[3] for row in table.rows]
    )
