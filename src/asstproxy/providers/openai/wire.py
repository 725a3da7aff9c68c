"""The Responses protocol, from us to the API: the body of a request, as pure functions.

Source: https://developers.openai.com/api/docs/api-reference/responses. What comes back is read in `reader`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from ...core.events import ToolResult
from ...core.history import AssistantMessage, Item, ToolOutputs, UserMessage
from ...core.turn import Turn
from ..attachments import Parts, no_parts
from ..fields import with_hosted_tools
from ..transport import JSON

__all__ = ["input_items", "request", "tool_output_items", "user_item"]


def request(turn: Turn, items: list[JSON]) -> JSON:
    """The body of `POST /responses`. A setting is sent only when the user set it; `tools` are added to the functions."""
    body: JSON = {"model": turn.model, "input": items}
    if turn.instructions:
        body["instructions"] = turn.instructions
    functions = [
        {
            "type": "function",
            "name": tool.name,
            "description": tool.description,
            "parameters": tool.parameters,
            "strict": False,  # left out, the API rewrites the schema to its strict subset
        }
        for tool in turn.tools
    ]
    body |= turn.settings | with_hosted_tools(functions, turn.settings)
    if turn.schema is not None:
        from ..answer_schema import named_schema  # late: few turns have one

        chosen = turn.settings.get("text")
        body["text"] = (chosen if isinstance(chosen, dict) else {}) | {
            "format": {"type": "json_schema"} | named_schema(turn.schema)
        }
    return body


def input_items(history: Iterable[Item], parts: Parts = no_parts) -> list[JSON]:
    """The history as input items; what the model itself said goes back unchanged."""
    return [item for said in history for item in _item(said, parts)]


def _item(said: Item, parts: Parts) -> list[JSON]:
    match said:
        case UserMessage(text=text, attachments=attachments):
            return [user_item(text, parts(attachments))]
        case ToolOutputs(results=results):
            return tool_output_items(results)
        case AssistantMessage(raw=list() as raw):
            return list(raw)
        case AssistantMessage(text=text, calls=calls):
            message = [{"type": "message", "role": "assistant", "content": text}] if text else []
            return message + [
                {"type": "function_call", "call_id": c.call_id, "name": c.name, "arguments": c.arguments} for c in calls
            ]


def user_item(text: str, parts: Iterable[JSON] = ()) -> JSON:
    """A message of the person as an input item: its files, then its text."""
    words = [{"type": "input_text", "text": text}] if text else []
    return {"type": "message", "role": "user", "content": [*parts, *words]}


def tool_output_items(results: Iterable[ToolResult]) -> list[JSON]:
    """Tool results as input items. The API has no field for an error, so the output says it."""
    return [
        {
            "type": "function_call_output",
            "call_id": result.call_id,
            "output": result.output if result.error is None else json.dumps({"error": result.error}),
        }
        for result in results
    ]
