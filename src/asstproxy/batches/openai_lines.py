"""OpenAI's batch lines: `{"custom_id", "method", "url", "body"}` in, `{"id", "custom_id", "response", "error"}` out.

https://platform.openai.com/docs/guides/batch; vLLM's `run_batch` reads and writes the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from ..config.provider_info import ProviderInfo
from ..config.settings import checked_settings
from ..core.errors import UsageError
from .item import Item, item_from, messages_of
from .result import Result

__all__ = ["is_openai_line", "item_from_openai", "settings_for", "to_openai"]

RESPONSES, CHAT = "/v1/responses", "/v1/chat/completions"
_NOT_SETTINGS = ("model", "messages", "input", "instructions", "stream", "stream_options", "background")


_LIMITS = ("max_completion_tokens", "max_tokens", "max_output_tokens")
"""How OpenAI's two APIs, and its older one, call the limit of an answer."""


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


def settings_for(info: ProviderInfo) -> Callable[[Item], Item]:
    """A function that gives an item's settings the names that they have in this provider's API, whichever of OpenAI's two APIs its
    line is for. What the other one doesn't have stays as it is.

    It raises `UsageError` for a value of the wrong type.
    """

    def renamed(item: Item) -> Item:
        if not item.settings or not info.settings:
            return item
        settings = {key: value for key, value in item.settings.items() if value is not None}
        for name in _LIMITS:
            if name not in info.settings and info.output_limit and name in settings:
                settings.setdefault(info.output_limit, settings.pop(name))
        if "text" in info.settings:  # the Responses API
            _move_format_into_text(settings)
        elif "response_format" in info.settings:  # Chat Completions
            _move_out_of_objects(settings)
        try:
            return msgspec.structs.replace(item, settings=checked_settings(settings, info.settings).values)
        except UsageError as error:
            raise UsageError(str(error), error.hint, data={"key": str(error).partition(":")[0]}) from None

    return renamed


def _move_format_into_text(settings: dict[str, Any]) -> None:
    form = settings.get("response_format")
    if isinstance(form, dict):
        del settings["response_format"]
        inner = form.get("json_schema")
        form = {"type": form.get("type"), **inner} if isinstance(inner, dict) else form
        settings["text"] = {"format": form, **settings.get("text", {})}


def _move_out_of_objects(settings: dict[str, Any]) -> None:
    text = settings.pop("text", {})
    if verbosity := text.get("verbosity"):
        settings.setdefault("verbosity", verbosity)
    form = text.get("format")
    if isinstance(form, dict):
        schema = {key: value for key, value in form.items() if key != "type"}
        is_schema = form.get("type") == "json_schema"
        settings.setdefault(
            "response_format", {"type": form.get("type"), **({"json_schema": schema} if is_schema else {})}
        )
    reasoning = settings.get("reasoning")
    if isinstance(reasoning, dict) and "effort" in reasoning:
        settings.setdefault("reasoning_effort", settings.pop("reasoning")["effort"])


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
