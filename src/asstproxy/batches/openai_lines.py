"""OpenAI's batch lines: `{"custom_id", "method", "url", "body"}` in, `{"id", "custom_id", "response", "error"}` out.

https://platform.openai.com/docs/guides/batch; vLLM's `run_batch` reads and writes the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ..core.errors import UsageError
from .item import Item, item_from, messages_of
from .result import Result

__all__ = ["is_openai_line", "item_from_openai", "to_openai"]

RESPONSES, CHAT = "/v1/responses", "/v1/chat/completions"
_NOT_SETTINGS = ("model", "messages", "input", "instructions", "stream", "stream_options", "background")


def is_openai_line(data: Mapping[str, Any]) -> bool:
    """Whether an object is a line of OpenAI's batch format."""
    return "custom_id" in data and "body" in data


def item_from_openai(data: Mapping[str, Any], line: int) -> Item:
    """The item of a line for the Responses API or for Chat Completions. What else its body has becomes settings.

    Raises:
        UsageError: something in it is wrong, as in `item_from`.
    """
    url, body = data.get("url", CHAT), data["body"]
    if not isinstance(body, dict):
        raise UsageError('"body" must be an object', data={"key": "body"})
    if url not in (RESPONSES, CHAT):
        raise UsageError(
            f"asst can't ask {url if isinstance(url, str) else 'this url'}",
            f"Use {RESPONSES} or {CHAT}.",
            data={"key": "url"},
        )
    if body.get("tools"):
        raise UsageError(
            '"tools" of a line can\'t be run', "Offer tools of your own.", code="batch_tools", data={"key": "tools"}
        )
    asked = body.get("messages") if url == CHAT else body.get("input")
    if isinstance(asked, str):
        asked = [{"role": "user", "content": asked}]
    system, prompt, history = messages_of(asked)
    item = item_from({"id": data["custom_id"], "prompt": prompt, "model": body.get("model") or ""}, line)
    instructions = body.get("instructions")
    settings = {key: value for key, value in body.items() if key not in _NOT_SETTINGS}
    return msgspec.structs.replace(
        item, system=instructions if isinstance(instructions, str) else system, history=history, settings=settings
    )


def to_openai(result: Result) -> dict[str, Any]:
    """A result as OpenAI's batch API writes it, with a body of Chat Completions."""
    head = {"id": f"batch_req_{result.id}", "custom_id": result.id}
    if result.error is not None:
        error = {"code": result.error.kind, "message": result.error.message}
        return {**head, "response": None, "error": error}
    usage = result.usage
    body = {
        "id": f"chatcmpl-{result.id}",
        "object": "chat.completion",
        "model": result.model,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": result.answer},
                "finish_reason": _finish_reason(result),
            }
        ],
        "usage": {
            "prompt_tokens": usage.input,
            "completion_tokens": usage.output,
            "total_tokens": usage.input + usage.output,
            "prompt_tokens_details": {"cached_tokens": usage.cached},
            "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
        },
    }
    return {**head, "response": {"status_code": 200, "request_id": result.id, "body": body}, "error": None}


def _finish_reason(result: Result) -> str:
    if not result.reason:
        return "stop"
    return "content_filter" if result.reason == "content_filter" else "length"
