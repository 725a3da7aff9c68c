"""llama.cpp's own server (llama-server), and why it is asked over Chat Completions.

Its `/v1/responses` says "completed" of an answer that reached a limit of the server (`n_predict`, the context), and ignores
the format of the text; its `/v1/chat/completions` reports the finish reason. Seen with xllamacpp 2026.10.
"""

from __future__ import annotations

import asyncio
from typing import Any

from ...core.errors import AssistantError
from ..fields import get_object, get_objects, get_text
from ..transport import JSON, Transport

__all__ = ["as_chat_settings", "is_llama_cpp"]

WITHIN = 2.0
"""Seconds that the list of models may take: a server that needs longer is asked as any other."""


async def is_llama_cpp(transport: Transport) -> bool:
    """Whether this server is llama.cpp, by its list of models."""
    try:
        async with asyncio.timeout(WITHIN):
            listed = await transport.call("GET", "/models")
    except (AssistantError, TimeoutError):
        return False
    return any(get_text(model, "owned_by") == "llamacpp" for model in get_objects(listed, "data"))


def as_chat_settings(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings of the Responses API in the words of Chat Completions; the others stay as they are."""
    given = dict(settings)
    made: JSON = {}
    if "max_output_tokens" in given:
        made["max_tokens"] = given.pop("max_output_tokens")
    if effort := get_text(get_object(given, "reasoning"), "effort"):
        del given["reasoning"]
        made["reasoning_effort"] = effort
    if form := get_object(get_object(given, "text"), "format"):
        del given["text"]
        schema = {key: value for key, value in form.items() if key != "type"}
        is_schema = form.get("type") == "json_schema"
        made["response_format"] = {"type": "json_schema", "json_schema": schema} if is_schema else form
    return made | given
