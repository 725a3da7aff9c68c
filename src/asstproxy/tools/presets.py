"""Assistants that `asst setup PROVIDER --preset NAME` sets up: what they are told, and their tools."""

from __future__ import annotations

import msgspec

__all__ = ["PRESETS", "Preset"]


class Preset(msgspec.Struct, frozen=True):
    """Instructions, and names of tools as for `-t`."""

    instructions: str
    tools: tuple[str, ...] = ()


PRESETS = {
    "stocks": Preset(
        "You are an expert in the stock market. You tell people the latest price of a stock, and whether to buy or to "
        "sell it. You get both from your functions, never from memory, and you say that the advice is only a toy's.",
        ("stocks",),
    ),
}
