"""The profiles that the page offers, and whether they are ready."""

from __future__ import annotations

from typing import Any

from ..config.profiles import load_config
from ..core.errors import AsstError

__all__ = ["checked_profiles", "profile_rows"]


def profile_rows(names: tuple[str, ...]) -> list[dict[str, Any]]:
    """Name, provider and model as the configuration has them, the default first. `missing` is None: it isn't known yet."""
    from ..providers.registry import vendors_with_key

    config = load_config()
    default = [config.default] if config.default else []
    wanted = names or tuple(dict.fromkeys([*default, *config.names, *vendors_with_key()]))
    return [_row(name) for name in wanted]


def _row(name: str) -> dict[str, Any]:
    row: dict[str, Any] = {"name": name, "provider": "", "model": "", "missing": None, "hint": ""}
    try:
        profile = load_config().profile(name)
    except AsstError as error:
        return row | {"missing": str(error), "hint": error.hint}
    return row | {"provider": profile.provider, "model": profile.model}


async def checked_profiles(names: tuple[str, ...]) -> list[dict[str, Any]]:
    """The same, with what is missing (empty: nothing), and the model that answers. No provider is asked."""
    return [await _checked(row) for row in profile_rows(names)]


async def _checked(row: dict[str, Any]) -> dict[str, Any]:
    from ..providers import connect

    if row["missing"]:
        return row
    try:
        assistant = connect(load_config().profile(row["name"]))
        row |= {"missing": "", "model": row["model"] or assistant.model}
        await assistant.aclose()
    except AsstError as error:
        row |= {"missing": str(error), "hint": error.hint}
    return row
