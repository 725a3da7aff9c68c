"""Tokens and costs as servers report them."""

from __future__ import annotations

from typing import Any

import pytest

from asstproxy.config.profiles import Profile
from asstproxy.core.events import Event, Usage
from asstproxy.core.turn import Turn
from asstproxy.providers.registry import connect
from asstproxy.providers.usage import chat_usage, messages_usage, reported_cost, responses_usage
from servers import Reply, Request
from servers.http import Server

ANSWER = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "ok"}, "finish_reason": "stop"}]}
USAGE = {"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 14}


async def _usage(reply: Reply, *, stream: bool = False) -> list[Event]:
    """The usage that the conversation gets from this reply of a Chat Completions server."""

    async def answer(_: Request) -> Reply:
        return reply

    with Server(answer) as server:
        profile = Profile("x", "chat-completions", model="m", options={"base_url": server.url})
        proxy = connect(profile)
        try:
            return [e async for e in proxy.start_processing(Turn("hi", stream=stream)) if isinstance(e, Usage)]
        finally:
            await proxy.aclose()


async def test_a_cost_in_the_reply_is_kept() -> None:
    """OpenRouter's `usage.cost`, in one reply or in a stream."""
    told = USAGE | {"cost": 0.0123, "prompt_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 2}}
    expected = Usage(10, 4, cached_tokens=3, cache_write_tokens=2, cost=0.0123)
    assert await _usage(Reply.json(ANSWER | {"usage": told})) == [expected]
    chunk = {"choices": [{"index": 0, "delta": {"content": "ok"}, "finish_reason": "stop"}]}
    lines = [f"data: {Reply.json(one).body.decode()}\n\n" for one in (chunk, {"choices": [], "usage": told})]  # type: ignore[union-attr]
    stream = Reply(200, {"content-type": "text/event-stream"}, "".join([*lines, "data: [DONE]\n\n"]).encode())
    assert await _usage(stream, stream=True) == [expected]


@pytest.mark.parametrize(
    ("header", "cost"), [("0.00042", 0.00042), ("0", 0.0), ("none", None), ("nan", None), ("-1", None)]
)
async def test_a_cost_in_a_header_is_kept(header: str, cost: float | None) -> None:
    """LiteLLM's `x-litellm-response-cost`; nonsense is no cost."""
    reply = Reply.json(ANSWER | {"usage": USAGE}, headers={"x-litellm-response-cost": header})
    assert await _usage(reply) == [Usage(10, 4, cost=cost)]


async def test_the_body_wins_over_the_header_and_a_header_alone_is_no_usage() -> None:
    """A reply without usage stays without; one with a cost keeps it."""
    headers = {"x-litellm-response-cost": "5"}
    assert await _usage(Reply.json(ANSWER | {"usage": USAGE | {"cost": 1.5}}, headers=headers)) == [
        Usage(10, 4, cost=1.5)
    ]
    assert await _usage(Reply.json(ANSWER, headers=headers)) == []


@pytest.mark.parametrize(
    ("cost", "told"),
    [
        (0.5, 0.5), (1, 1.0), (0, 0.0), ({"total_cost": 0.006, "currency": "USD"}, 0.006), ({}, None), (None, None), ("0.5", None),
        (True, None), (-1, None), (float("nan"), None), (float("inf"), None), ([1], None),
    ],
)  # fmt: skip
def test_only_an_amount_is_a_cost(cost: Any, told: float | None) -> None:
    """A number, or Perplexity's object with a total; whatever else a server puts there is ignored."""
    assert reported_cost({"cost": cost}) == told
    assert reported_cost({}) is None


def test_reasoning_is_output_wherever_it_is_counted() -> None:
    """OpenAI counts it in the completion; xAI beside it, which the total shows."""
    details = {"completion_tokens_details": {"reasoning_tokens": 6}}
    inside = {"prompt_tokens": 10, "completion_tokens": 10, "total_tokens": 20} | details
    beside = {"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 20} | details
    assert chat_usage(inside) == chat_usage(beside) == Usage(10, 10, reasoning_tokens=6)
    assert chat_usage({"prompt_tokens": 10, "prompt_cache_hit_tokens": 8}).cached_tokens == 8  # DeepSeek


def test_responses_and_messages_say_tier_cache_and_cost() -> None:
    """The tier is kept if it isn't the usual one; Anthropic's parts of the input are put together."""
    usage = {
        "input_tokens": 100,
        "output_tokens": 20,
        "input_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 30},
        "output_tokens_details": {"reasoning_tokens": 8},
        "cost": 0.5,
    }
    assert responses_usage({"usage": usage, "service_tier": "flex"}) == Usage(100, 20, 60, 8, 30, 0.5, "flex")
    assert responses_usage({"usage": usage, "service_tier": "default"}).service_tier == ""
    messages = {
        "input_tokens": 3,
        "cache_read_input_tokens": 60,
        "cache_creation_input_tokens": 30,
        "output_tokens": 20,
        "service_tier": "standard",
    }
    assert messages_usage(messages) == Usage(93, 20, 60, 0, 30)
    assert messages_usage({}) is None
