"""The tokens and the cost that APIs report, as `Usage`. What an API counts apart is put together here: see `Usage`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ..core.events import Usage
from .fields import get_count, get_object, get_text
from .transport import JSON

__all__ = ["chat_usage", "messages_usage", "reported_cost", "responses_usage", "service_tier"]

_USUAL_TIERS = frozenset({"auto", "default", "standard"})


def responses_usage(response: JSON) -> Usage:
    """The usage of a response of OpenAI's Responses API, or of a server that speaks it."""
    usage = get_object(response, "usage")
    return Usage(
        input_tokens=get_count(usage, "input_tokens"),
        output_tokens=get_count(usage, "output_tokens"),
        cached_tokens=get_count(usage, "input_tokens_details", "cached_tokens"),
        reasoning_tokens=get_count(usage, "output_tokens_details", "reasoning_tokens"),
        cache_write_tokens=get_count(usage, "input_tokens_details", "cache_write_tokens"),
        cost=reported_cost(usage),
        service_tier=service_tier(response),
    )


def chat_usage(usage: JSON, service_tier: str = "") -> Usage:
    """The usage of a Chat Completions reply. Some servers count reasoning apart from the other output: the total shows it."""
    read, written = get_count(usage, "prompt_tokens"), get_count(usage, "completion_tokens")
    thought = get_count(usage, "completion_tokens_details", "reasoning_tokens")
    if thought and get_count(usage, "total_tokens") == read + written + thought:
        written += thought
    return Usage(
        input_tokens=read,
        output_tokens=written,
        cached_tokens=get_count(usage, "prompt_tokens_details", "cached_tokens")
        or get_count(usage, "prompt_cache_hit_tokens"),
        reasoning_tokens=thought,
        cache_write_tokens=get_count(usage, "prompt_tokens_details", "cache_write_tokens"),
        cost=reported_cost(usage),
        service_tier=service_tier,
    )


def messages_usage(usage: JSON) -> Usage | None:
    """The usage of Anthropic's Messages API, which counts apart what was read from the cache and written to it; None for none."""
    cached, stored = get_count(usage, "cache_read_input_tokens"), get_count(usage, "cache_creation_input_tokens")
    read, written = get_count(usage, "input_tokens") + cached + stored, get_count(usage, "output_tokens")
    thought = get_count(usage, "output_tokens_details", "thinking_tokens")
    if not (read or written):
        return None
    return Usage(read, written, cached, thought, stored, reported_cost(usage), service_tier(usage))


def reported_cost(usage: Mapping[str, Any]) -> float | None:
    """What the request cost in US dollars, where the server says it (OpenRouter, Perplexity, LiteLLM)."""
    cost = usage.get("cost")
    if isinstance(cost, dict):
        cost = cost.get("total_cost")
    if isinstance(cost, bool) or not isinstance(cost, int | float):
        return None
    return float(cost) if math.isfinite(cost) and cost >= 0 else None


def service_tier(holder: Mapping[str, Any]) -> str:
    """How the request was served; empty for the usual way."""
    tier = get_text(holder, "service_tier")
    return "" if tier in _USUAL_TIERS else tier
