"""Which models there are: what `asst setup` offers, and how it sees whether a key is good."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from ..config.profiles import Profile
from .registry import provider_info, provider_module
from .transport import Transport

__all__ = ["ModelInfo", "default_model", "fetch_models", "list_models", "model_notes"]


class ModelInfo(msgspec.Struct, frozen=True):
    """A model as its provider lists it. `note` says what it is good for, `shutdown` (a date) when it goes."""

    id: str
    note: str = ""
    shutdown: str = ""


async def list_models(profile: Profile) -> list[ModelInfo]:
    """What the provider offers for this profile, the noted ones first; nothing when it has no list.

    A provider's module may have `async def models(profile) -> list[ModelInfo]`.

    Raises:
        AsstError: the provider cannot be asked, or refuses.
    """
    asked: Callable[[Profile], Awaitable[list[ModelInfo]]] | None = getattr(provider_module(profile), "models", None)
    return await asked(profile) if asked else []


def model_notes(profile: Profile) -> dict[str, str]:
    """The models of a provider that are worth offering first, and what each is good for; it is not asked."""
    return dict(provider_info(profile.provider).models)


def default_model(profile: Profile) -> str:
    """The model that answers when the profile names none; nothing where there is no such."""
    return provider_info(profile.provider).default_model


async def fetch_models(transport: Transport, path: str, notes: Mapping[str, str]) -> list[ModelInfo]:
    """The models of a list in OpenAI's shape (`data`, `id`) or Google's (`models`, `name`); closes the transport."""
    try:
        answer = await transport.call("GET", path)
    finally:
        await transport.aclose()
    found = answer.get("data") or answer.get("models") or []
    infos = [_info(one, notes) for one in found if isinstance(one, dict) and _talks(one)]
    order = list(notes)
    return sorted(infos, key=lambda info: (order.index(info.id) if info.id in notes else len(order), info.id))


def _info(one: dict[str, Any], notes: Mapping[str, str]) -> ModelInfo:
    name = str(one.get("id") or one.get("name") or "").removeprefix("models/")
    return ModelInfo(name, notes.get(name, ""), _date(one.get("shutdown_date")))


def _date(value: Any) -> str:
    """A day, however the API writes it: as text, or as seconds since 1970."""
    if isinstance(value, int | float) and value > 0:
        from datetime import UTC, datetime

        return datetime.fromtimestamp(value, UTC).date().isoformat()
    return str(value)[:10] if value else ""


def _talks(one: dict[str, Any]) -> bool:
    methods = one.get("supportedGenerationMethods")
    return not isinstance(methods, list) or "generateContent" in methods
