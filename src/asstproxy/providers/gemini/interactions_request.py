"""The Interactions API, from us to Google: a turn and its history as steps. Pure functions.

Source: https://ai.google.dev/gemini-api/docs/interactions. Google keeps the conversation, so that usually only what is
new is sent; `tools`, `system_instruction` and `generation_config` hold for one interaction and are sent with each.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...core.history import AssistantSaid, Item, ToolOutputs, UserSaid
from ...core.turn import Turn
from ..transport import JSON
from .generate_request import arguments
from .schema import inlined

__all__ = ["is_stored", "request", "steps"]

BODY = frozenset(
    (
        "cached_content",
        "environment",
        "labels",
        "response_format",
        "response_mime_type",
        "response_modalities",
        "safety_settings",
        "service_tier",
        "store",
        "webhook_config",
    )
)
"""Settings that stand beside `generation_config`; every other one goes into it."""


def request(turn: Turn, given: list[JSON], previous: str | None) -> JSON:
    """The body of `POST /interactions`. A setting is sent only when the user set it."""
    body: JSON = {"model": turn.model, "input": given}
    if previous:
        body["previous_interaction_id"] = previous
    if turn.instructions:
        body["system_instruction"] = turn.instructions
    tools: list[JSON] = [
        {"type": "function", "name": t.name, "description": t.description, "parameters": inlined(t.parameters)}
        for t in turn.tools
    ]
    config: JSON = {}
    for name, value in turn.settings.items():
        if name == "tools":
            tools += value  # Google's own tools, beside ours
        elif name == "generation_config":
            config |= value
        elif name in BODY:
            body[name] = value
        else:
            config[name] = value
    return body | ({"tools": tools} if tools else {}) | ({"generation_config": config} if config else {})


def is_stored(turn: Turn) -> bool:
    """Whether Google keeps the interaction; it does unless the user said no."""
    return turn.settings.get("store") is not False


def steps(items: Sequence[Item], start: int = 0) -> list[JSON]:
    """The history as steps, from an item on; what the model said itself goes back unchanged."""
    made: list[JSON] = []
    calls: list[JSON] = []
    for number, item in enumerate(items):
        if isinstance(item, ToolOutputs):
            new = _results(calls, item)
        else:
            new = _step(item)
            calls = [step for step in new if step.get("type") == "function_call"]
        made += new if number >= start else []
    return made


def _step(item: UserSaid | AssistantSaid) -> list[JSON]:
    match item:
        case UserSaid(text=text):
            return [{"type": "user_input", "content": [{"type": "text", "text": text}]}]
        case AssistantSaid(raw={"steps": list() as raw}):
            return list(raw)
        case AssistantSaid(text=text, calls=calls):
            said: list[JSON] = [{"type": "model_output", "content": [{"type": "text", "text": text}]}] if text else []
            return said + [
                {"type": "function_call", "id": call.call_id, "name": call.name, "arguments": arguments(call)}
                for call in calls
            ]


def _results(calls: Sequence[JSON], outputs: ToolOutputs) -> list[JSON]:
    return [
        {
            "type": "function_result",
            "call_id": call.get("id"),
            "name": call.get("name"),
            "result": result.output if result.error is None else result.error,
            **({} if result.error is None else {"is_error": True}),
        }
        for call, result in zip(calls, outputs.results, strict=False)
    ]
