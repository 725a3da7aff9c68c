"""The Responses protocol: our events to the API's JSON and back, as pure functions.

Source: https://developers.openai.com/api/docs/api-reference/responses and the streaming guide there. Other servers that speak
the protocol (llama.cpp, Ollama, vLLM, LM Studio, OGX) leave out indexes and `*.done` events. So everything depends on `type`
alone, and the outcome is taken from finished items.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from ...core.coalesce import TextBuffer
from ...core.errors import AssistantError
from ...core.events import (
    ActionRequired,
    AssistantMessageRetrieved,
    ChunkReceived,
    Event,
    MessageIncomplete,
    Reasoning,
    ToolCall,
    ToolResult,
    Usage,
)
from ...core.history import AssistantMessage, Item, ToolOutputs, UserMessage
from ...core.turn import Turn
from ..fields import get_arguments, get_count, get_object, get_objects, get_text
from ..stream import JobReader
from ..transport import JSON
from ..transport.failures import reported_error

__all__ = ["Reader", "input_items", "outcome", "request", "tool_output_items", "user_item"]

TERMINAL = ("response.completed", "response.incomplete", "response.failed")


# ---- from us to the API ------------------------------------------------------------------------------------------------


def request(turn: Turn, items: list[JSON]) -> JSON:
    """The body of `POST /responses`. A setting is sent only when the user set it."""
    body: JSON = {"model": turn.model, "input": items}
    if turn.instructions:
        body["instructions"] = turn.instructions
    if turn.tools:
        body["tools"] = [
            {
                "type": "function",
                "name": tool.name,
                "description": tool.description,
                "parameters": tool.parameters,
                "strict": False,  # left out, the API rewrites the schema to its strict subset
            }
            for tool in turn.tools
        ]
    return body | turn.settings


def input_items(history: Iterable[Item]) -> list[JSON]:
    """The history as input items; what the model itself said goes back unchanged."""
    return [item for said in history for item in _item(said)]


def _item(said: Item) -> list[JSON]:
    match said:
        case UserMessage(text=text):
            return [user_item(text)]
        case ToolOutputs(results=results):
            return tool_output_items(results)
        case AssistantMessage(raw=list() as raw):
            return list(raw)
        case AssistantMessage(text=text, calls=calls):
            message = [{"type": "message", "role": "assistant", "content": text}] if text else []
            return message + [
                {"type": "function_call", "call_id": c.call_id, "name": c.name, "arguments": c.arguments} for c in calls
            ]


def user_item(text: str) -> JSON:
    """A message of the person as an input item."""
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


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


# ---- from the API to us ------------------------------------------------------------------------------------------------


class Reader(JobReader):
    """Folds the API's streaming events, one by one, into ours. `position` is the number of the last event, if it has one."""

    def __init__(self) -> None:
        self._phase = ""
        self._text = TextBuffer()
        self._items: list[JSON] = []
        self._response: JSON = {}

    def feed(self, event: JSON) -> Iterator[Event]:
        """See `StreamReader`; nothing after the last event.

        Raises:
            AssistantError: the API reports a failure, in either of its two shapes.
        """
        if self.done:
            return
        kind = event.get("type")
        if isinstance(number := event.get("sequence_number"), int):
            self.position = number
        match kind:
            case "response.output_text.delta" | "response.refusal.delta":
                yield self._chunk(get_text(event, "delta"))
            case "response.reasoning_summary_text.delta" | "response.reasoning_text.delta":
                yield Reasoning(get_text(event, "delta"))
            case "response.reasoning_summary_part.done":
                yield Reasoning("\n\n")
            case "response.output_item.added":
                self._phase = get_text(event, "item", "phase")
            case "response.output_item.done":
                self._items.append(get_object(event, "item"))
            case "response.created" | "response.queued" | "response.in_progress":
                self.job_id = get_text(event, "response", "id") or self.job_id
            case _ if kind in TERMINAL:
                self.done, self._response = True, get_object(event, "response")
            case _ if kind == "error" or event.get("error"):
                raise reported_error(get_object(event, "error") or event)

    def _chunk(self, text: str) -> ChunkReceived:
        if self._phase == "commentary":
            return ChunkReceived(text, "commentary")
        self._text.add(text)
        return ChunkReceived(text)

    def end(self) -> Iterator[Event]:
        """See `StreamReader`."""
        return self.reply(self._response)

    def reply(self, reply: JSON) -> Iterator[Event]:
        """See `StreamReader`; servers that leave the output out at the end have streamed it."""
        return outcome(
            reply if reply.get("output") or not self.done else reply | {"output": self._items}, str(self._text)
        )


def outcome(response: JSON, streamed: str = "") -> Iterator[Event]:
    """The end of the assistant's turn: a usage note, then the closing message of a finished response.

    `streamed` is the text received so far, for servers that leave it out at the end.

    Raises:
        AssistantError: the response failed or was cancelled, or this is not a response.
    """
    if not response.keys() & {"status", "output"}:
        if error := get_object(response, "error"):  # a failure with the status of a success
            raise reported_error(error)
        raise AssistantError("protocol", "The server's reply is not a response of this API.", "Check base_url.")
    if usage := get_object(response, "usage"):
        yield Usage(
            input_tokens=get_count(usage, "input_tokens"),
            output_tokens=get_count(usage, "output_tokens"),
            cached_tokens=get_count(usage, "input_tokens_details", "cached_tokens"),
            reasoning_tokens=get_count(usage, "output_tokens_details", "reasoning_tokens"),
        )
    items = get_objects(response, "output")
    text = _text(items) or streamed
    calls = tuple(
        ToolCall(
            get_text(item, "call_id") or get_text(item, "id"),
            get_text(item, "name"),
            get_arguments(item, "arguments") or "{}",
        )
        for item in items
        if item.get("type") == "function_call"
    )
    match response.get("status", "completed"):
        case "completed" if calls:
            yield ActionRequired(calls, text, raw=_raw(items))
        case "completed":
            yield AssistantMessageRetrieved(text, raw=_raw(items))
        case "incomplete":
            reason = get_text(response, "incomplete_details", "reason") or "unknown"
            # A call that was cut off will never be answered, so nothing that came with it goes back.
            yield MessageIncomplete(text, REASONS.get(reason, reason), raw=None if calls else _raw(items))
        case "failed":
            raise reported_error({"message": "The response failed."} | get_object(response, "error"))
        case "cancelled":
            raise AssistantError("interrupted", "The response was cancelled at the provider.", "Ask again.")
        case status:
            raise AssistantError("protocol", f"The response has the unknown status '{status}'.", "Check base_url.")


REASONS = {"length": "max_output_tokens"}
"""Other servers' names for OpenAI's reasons."""


def _text(items: list[JSON]) -> str:
    parts = (
        part
        for item in items
        if item.get("type") == "message" and item.get("phase") != "commentary"
        for part in get_objects(item, "content")
    )
    return "".join(get_text(part, "text") or get_text(part, "refusal") for part in parts)


def _raw(items: list[JSON]) -> list[JSON] | None:
    """What must go back unchanged; None if text and calls say the same."""
    while items and items[-1].get("type") == "reasoning":  # OpenAI refuses reasoning without the item it led to
        items = items[:-1]
    plain = all(item.get("type") in ("message", "function_call") and "phase" not in item for item in items)
    return None if plain else items
