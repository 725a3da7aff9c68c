"""The profiles that the page offers, and whether they are ready."""

from __future__ import annotations

from typing import Any

from ..config.profiles import load_config
from ..core.errors import AsstError
from ..providers import connect
from ..providers.registry import vendors_with_key

__all__ = ["profile_rows"]


async def profile_rows(names: tuple[str, ...]) -> list[dict[str, Any]]:
    """Name, provider, model, and what is missing (empty: nothing), the default first. No provider is asked."""
    config = load_config()
    default = [config.default] if config.default else []
    wanted = names or tuple(dict.fromkeys([*default, *config.names, *vendors_with_key()]))
    return [await _row(name) for name in wanted]


async def _row(name: str) -> dict[str, Any]:
    row: dict[str, Any] = {"name": name, "provider": "", "model": "", "missing": "", "hint": ""}
    try:
        profile = load_config().profile(name)
        row |= {"provider": profile.provider, "model": profile.model}
        assistant = connect(profile)
        row["model"] = row["model"] or assistant.model
        await assistant.aclose()
    except AsstError as error:
        row |= {"missing": str(error), "hint": error.hint}
    return row
