"""The models of a provider: what `asst setup` offers, and how it checks a key."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from ..config.profiles import Profile
from .fields import get_count, get_object
from .registry import provider_info, provider_module
from .transport import StreamedReply, Transport

__all__ = ["ModelInfo", "fetch_models", "list_models"]


class ModelInfo(msgspec.Struct, frozen=True):
    """A model as its provider lists it. `note`: what it is good for; `shutdown`: the date on which it is switched off.

    `context` is the size of its window in tokens, and the prices are in US dollars for a million tokens; 0 and None if the
    provider's list doesn't say.
    """

    id: str
    note: str = ""
    shutdown: str = ""
    context: int = 0
    input_price: float | None = None
    output_price: float | None = None


_CONTEXT = (
    "context_length",
    "context_window",
    "max_context_length",
    "max_model_len",
    "inputTokenLimit",
    "max_input_tokens",
)
"""How servers name the size of a model's window."""


async def list_models(profile: Profile) -> list[ModelInfo]:
    """The models of this profile's provider, those with a note first; empty when it has no list of them (`lists_models`).

    Raises:
        AsstError: the provider can't be reached, or refuses.
    """
    asked: Callable[[Profile], Awaitable[list[ModelInfo]]] | None = getattr(provider_module(profile), "models", None)
    return await asked(profile) if asked and provider_info(profile.provider).lists_models else []


async def fetch_models(transport: Transport, path: str, notes: Mapping[str, str]) -> list[ModelInfo]:
    """Read a list of models in OpenAI's format (`data`, `id`) or Google's (`models`, `name`), then close the transport.

    Those with a note come first, in the order of the notes.

    Raises:
        AssistantError: the server can't be reached, or refuses.
    """
    try:
        answer = await transport.call("GET", path)
    finally:
        await transport.aclose()
    listed = answer.events if isinstance(answer, StreamedReply) else []  # Together's list has no object around it
    found = listed or answer.get("data") or answer.get("models") or []
    infos = [_info(one, notes) for one in found if isinstance(one, dict) and _is_chat_model(one)]
    order = list(notes)
    return sorted(infos, key=lambda info: (order.index(info.id) if info.id in notes else len(order), info.id))


def _info(one: dict[str, Any], notes: Mapping[str, str]) -> ModelInfo:
    name = str(one.get("id") or one.get("name") or "").removeprefix("models/")
    return ModelInfo(
        name,
        notes.get(name, ""),
        _date(one.get("shutdown_date") or one.get("retires_at")),
        next((count for key in _CONTEXT if (count := get_count(one, key))), 0) or get_count(one, "meta", "n_ctx_train"),
        _price(one, "prompt", "input"),
        _price(one, "completion", "output"),
    )


def _price(one: dict[str, Any], each: str, million: str) -> float | None:
    """A price for a million tokens, from lists that have it for each token (OpenRouter: texts) or for a million (Together)."""
    pricing = get_object(one, "pricing")
    try:
        price = float(pricing[each]) * 1_000_000 if each in pricing else float(pricing[million])
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    return round(price, 6) if math.isfinite(price) and price >= 0 else None


def _date(value: Any) -> str:
    """The date as YYYY-MM-DD. APIs give it as text or as a Unix timestamp in seconds."""
    if isinstance(value, int | float) and value > 0:
        from datetime import UTC, datetime

        return datetime.fromtimestamp(value, UTC).date().isoformat()
    return str(value)[:10] if value else ""


def _is_chat_model(one: dict[str, Any]) -> bool:
    methods = one.get("supportedGenerationMethods")
    return not isinstance(methods, list) or "generateContent" in methods
