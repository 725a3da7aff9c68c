"""What Anthropic's Messages API refuses: requests of the wrong form, history that was altered, calls without results."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from .wire import ApiError, Json

_ID = re.compile(r"[a-zA-Z0-9_-]+")
_TOOL = re.compile(r"[a-zA-Z0-9_-]{1,128}")


def _refuse(message: str) -> ApiError:
    return ApiError(400, message)


def check_request(body: Json, *, prefill: bool) -> list[Json]:
    """The messages of a well-formed request. `prefill`: the last one may be the assistant's."""
    for key in ("model", "max_tokens", "messages"):
        if key not in body:
            raise _refuse(f"{key}: Field required")
    if not isinstance(body["max_tokens"], int) or body["max_tokens"] < 1:
        raise _refuse("max_tokens: Input should be greater than or equal to 1")
    if body.get("system") == "":
        raise _refuse("system: text content blocks must be non-empty")
    for tool in body.get("tools", []):
        if not _TOOL.fullmatch(tool.get("name", "")) or ("type" not in tool and "input_schema" not in tool):
            raise _refuse("tools.0: Input should match the schema of a tool")
    if form := body.get("output_config", {}).get("format"):
        _check_schema(form["schema"])
    messages: list[Json] = body["messages"]
    if not messages:
        raise _refuse("messages: at least one message is required")
    if messages[0]["role"] != "user":
        raise _refuse("messages: first message must use the user role")
    if messages[-1]["role"] != "user" and not prefill:
        raise _refuse(
            "This model does not support assistant message prefill. The conversation must end with a user message."
        )
    for message in messages:
        if message["role"] not in ("user", "assistant"):
            raise _refuse("messages: Unexpected role")
        _check_content(blocks_of(message))
    return messages


_UNSUPPORTED = ("minimum", "maximum", "minLength", "maxLength", "multipleOf", "pattern", "oneOf", "patternProperties")


def _check_schema(schema: Any) -> None:
    if isinstance(schema, list):
        for part in schema:
            _check_schema(part)
    if not isinstance(schema, dict):
        return
    for key in _UNSUPPORTED:
        if key in schema:
            raise _refuse(f"output_config.format.schema: property '{key}' is not supported")
    if schema.get("type") == "object" and schema.get("additionalProperties") is not False:
        raise _refuse("output_config.format.schema: For 'object' type, 'additionalProperties' must be set to false")
    for key in ("properties", "$defs"):
        _check_schema([*schema.get(key, {}).values()])
    for key in ("items", "anyOf"):
        _check_schema(schema.get(key))


def blocks_of(message: Json) -> list[Json]:
    content: Any = message.get("content")
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _check_content(blocks: list[Json]) -> None:
    if not blocks:
        raise _refuse("messages: content must not be empty")
    for block in blocks:
        if block["type"] == "text" and not block["text"].strip():
            raise _refuse("messages: text content blocks must contain non-whitespace text")
        if block["type"] == "tool_use" and not (_ID.fullmatch(block["id"]) and isinstance(block["input"], dict)):
            raise _refuse(
                "messages.content.tool_use: Input should be a valid dictionary, id should match '^[a-zA-Z0-9_-]+$'"
            )


def check_calls(messages: Iterable[Json]) -> None:
    """Each call is answered in the very next message, before anything else in it; no result is without its call."""
    open_calls: list[str] = []
    for message in messages:
        blocks = blocks_of(message)
        results = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
        if set(results) - set(open_calls):
            raise _refuse("messages: unexpected `tool_use_id` found in `tool_result` blocks")
        if missing := [call for call in open_calls if call not in results]:
            raise _refuse(
                f"messages: `tool_use` ids were found without `tool_result` blocks immediately after: {missing[0]}"
            )
        if any(block["type"] != "tool_result" for block in blocks[: len(results)]):
            raise _refuse("messages: tool_result blocks must come first")
        open_calls = [block["id"] for block in blocks if block["type"] == "tool_use"]
    if open_calls:
        raise _refuse(
            f"messages: `tool_use` ids were found without `tool_result` blocks immediately after: {open_calls[0]}"
        )


class Signed:
    """The reasoning that this server has signed; what comes back must be unaltered, and where a call needs it."""

    def __init__(self) -> None:
        self._blocks: dict[str, Json] = {}
        self._needed: dict[str, str] = {}  # the call, and the signature before it

    def remember(self, content: list[Json]) -> None:
        signature = ""
        for block in content:
            if block["type"] == "thinking":
                signature = block["signature"]
                self._blocks[signature] = block
            elif block["type"] == "tool_use" and signature:
                self._needed[block["id"]] = signature

    def check(self, messages: Iterable[Json]) -> None:
        for message in messages:
            sent = [block for block in blocks_of(message) if block["type"] == "thinking"]
            for block in sent:
                if self._blocks.get(block.get("signature", "")) != block:
                    raise _refuse("messages.1.content.0: Invalid `signature` in `thinking` block")
            for block in blocks_of(message):
                needed = self._needed.get(block.get("id", ""))
                if block["type"] == "tool_use" and needed and needed not in [one["signature"] for one in sent]:
                    raise _refuse(
                        "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`."
                    )
