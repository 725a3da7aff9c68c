"""generateContent, from us to Google: a turn and its history as JSON. Pure functions.

Source: https://ai.google.dev/api/generate-content and the guides on function calling and thought signatures. What the
model said itself goes back exactly as it was received, thought signatures included: Google refuses it without them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from ...core.events import ToolCall, ToolResult
from ...core.history import AssistantSaid, Item, ToolOutputs, UserSaid
from ...core.turn import ToolSpec, Turn
from ..transport import JSON
from .schema import inlined

__all__ = ["arguments", "contents", "request"]

BODY = frozenset(
    (
        "cachedContent",
        "labels",
        "modelArmorConfig",
        "safetySettings",
        "serviceTier",
        "store",
        "systemInstruction",
        "toolConfig",
    )
)
"""Settings that stand beside `generationConfig`; every other one goes into it."""
UNSIGNED = "skip_thought_signature_validator"
"""Google's own word for a call whose signature is not to be had: another model made it, or it was refused."""


def request(turn: Turn, items: Iterable[Item], *, unsigned: bool = False) -> JSON:
    """The body of a request. A setting is sent only when the user set it; snake_case is understood, too."""
    body: JSON = {"contents": contents(items, unsigned=unsigned)}
    if turn.instructions:
        body["systemInstruction"] = {"parts": [{"text": turn.instructions}]}
    tools = [{"functionDeclarations": [_declaration(tool) for tool in turn.tools]}] if turn.tools else []
    config: JSON = {}
    for key, value in turn.settings.items():
        match _camel(key):
            case "tools":
                tools += value  # Google's own tools, beside ours
            case "generationConfig":
                config |= value
            case "thinkingLevel":  # these two as the Interactions API has them: the same profile serves both
                config["thinkingConfig"] = config.get("thinkingConfig", {}) | {"thinkingLevel": value}
            case "thinkingSummaries":
                shown = {"includeThoughts": value not in ("none", False)}
                config["thinkingConfig"] = config.get("thinkingConfig", {}) | shown
            case name if name in BODY:
                body[name] = value
            case name:
                config[name] = value
    return body | ({"tools": tools} if tools else {}) | ({"generationConfig": config} if config else {})


def _declaration(tool: ToolSpec) -> JSON:
    declared: JSON = {"name": tool.name, "parametersJsonSchema": inlined(tool.parameters)}
    return declared | ({"description": tool.description} if tool.description else {})


def _camel(name: str) -> str:
    return re.sub(r"_([a-z])", lambda letter: letter[1].upper(), name)


def contents(items: Iterable[Item], *, unsigned: bool = False) -> list[JSON]:
    """The history as contents. `unsigned`: calls that have no signature say so."""
    turns: list[JSON] = []
    calls: list[JSON] = []
    for item in items:
        match item:
            case UserSaid(text=text):
                turns.append({"role": "user", "parts": [{"text": text}]})
            case AssistantSaid():
                parts = _parts(item, unsigned=unsigned)
                calls = [part["functionCall"] for part in parts if "functionCall" in part]
                if parts:  # a reply without a word has no place here
                    turns.append({"role": "model", "parts": parts})
            case ToolOutputs(results=results):
                turns.append({"role": "user", "parts": _responses(calls, results)})
    return turns


def _parts(said: AssistantSaid, *, unsigned: bool) -> list[JSON]:
    if isinstance(said.raw, dict) and isinstance(said.raw.get("parts"), list):
        return list(said.raw["parts"])
    parts: list[JSON] = [{"functionCall": {"name": c.name, "args": arguments(c)}} for c in said.calls]
    if parts and unsigned:
        parts[0]["thoughtSignature"] = UNSIGNED  # of parallel calls the first one carries it
    return [{"text": said.text}, *parts] if said.text else parts


def _responses(calls: Sequence[JSON], results: Sequence[ToolResult]) -> list[JSON]:
    """All results in one content, in the order of the calls; an id goes back only where the server gave one.

    The output goes as text: as JSON, long numbers would be rounded, and a `$ref` in it would be followed.
    """
    return [
        {
            "functionResponse": {
                **{key: call[key] for key in ("id", "name") if call.get(key)},
                "response": {"output": result.output} if result.error is None else {"error": result.error},
            }
        }
        for call, result in zip(calls, results, strict=False)
    ]


def arguments(call: ToolCall) -> Any:
    """The arguments of a call as an object, whatever another model made of them."""
    try:
        value = json.loads(call.arguments or "{}")
    except ValueError:
        value = None
    return value if isinstance(value, dict) else {"arguments": call.arguments}
