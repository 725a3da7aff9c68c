"""The Interactions API, from Google to us: folds the events of a stream, or a whole interaction, into our events.

Source: https://ai.google.dev/api/interactions-api. Events carry steps piece by piece; the last one says how it ended
and usually leaves the steps out.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

from ...core.errors import AssistantError
from ...core.events import (
    ActionRequired,
    AssistantMessageRetrieved,
    ChunkReceived,
    Event,
    MessageIncomplete,
    Notice,
    Reasoning,
    ToolCall,
    Usage,
)
from ..fields import get_arguments, get_count, get_object, get_objects, get_text
from ..stream import JobReader
from ..transport import JSON
from ..transport.failures import failure
from .finish_reasons import FILTERED, blocked

__all__ = ["Reader", "outcome", "thoughts"]


class Reader(JobReader):
    """Folds the API's streaming events into ours. `position` is the id of the last event, `job_id` that of the interaction."""

    def __init__(self) -> None:
        self._interaction: JSON = {}
        self._seen: set[str] = set()
        self._steps: dict[int, JSON] = {}
        self._pieces: dict[int, list[str]] = {}  # of a text, or of the JSON of arguments

    def feed(self, event: JSON) -> Iterator[Event]:
        """See `StreamReader`; an event that was read before gives nothing, nor does one after the last."""
        if self.done:
            return
        if number := get_text(event, "event_id"):
            if number in self._seen:
                return
            self._seen.add(number)
            self.position = number
        index = event.get("index")
        match event.get("event_type"):
            case "interaction.created":
                self.job_id = get_text(_interaction(event), "id") or self.job_id
            case "interaction.status_update" if event.get("status") == "cancelled":
                raise _cancelled()
            case "step.start" if isinstance(index, int):
                self._steps[index] = step = copy.deepcopy(get_object(event, "step"))
                self._pieces[index] = []
                yield from _opening(step)
            case "step.delta" if isinstance(index, int):
                yield from self._delta(index, get_object(event, "delta"))
            case "interaction.completed":
                self.done = True
                interaction = _interaction(event)
                self.job_id = get_text(interaction, "id") or self.job_id
                streamed = {"id": self.job_id, "status": "completed", "steps": self._whole()}
                self._interaction = streamed | {key: value for key, value in interaction.items() if value}
            case "error":
                raise _failure(get_object(event, "error") or event)
            case None if isinstance(event.get("error"), dict):
                raise _failure(event["error"])

    def end(self) -> Iterator[Event]:
        """See `StreamReader`."""
        return outcome(self._interaction)

    def reply(self, reply: JSON) -> Iterator[Event]:
        """See `StreamReader`."""
        yield from thoughts(reply)
        yield from outcome(reply)

    def _delta(self, index: int, delta: JSON) -> Iterator[Event]:
        step = self._steps.setdefault(index, {"type": "model_output"})
        pieces = self._pieces.setdefault(index, [])
        match delta.get("type"):
            case "text":
                pieces.append(get_text(delta, "text"))
                if pieces[-1]:
                    yield ChunkReceived(pieces[-1])
            case "arguments_delta":
                pieces.append(get_text(delta, "arguments"))
            case "thought_summary":
                content = get_object(delta, "content")
                step["summary"] = _with(get_objects(step, "summary"), content)
                if text := get_text(content, "text"):
                    yield Reasoning(text)
            case "thought_signature":
                step["signature"] = delta.get("signature")

    def _whole(self) -> list[JSON]:
        """The steps as a plain reply would have them."""
        for index, step in self._steps.items():
            text, self._pieces[index] = "".join(self._pieces[index]), []
            if text and step.get("type") == "function_call":
                step["arguments"] = _object(text)
            elif text:
                step["content"] = [{"type": "text", "text": _text([step]) + text}]
        return [self._steps[index] for index in sorted(self._steps)]


def thoughts(interaction: JSON) -> Iterator[Event]:
    """The model's thinking in an interaction that was not streamed."""
    for step in get_objects(interaction, "steps"):
        yield from _summary(step)


def outcome(interaction: JSON) -> Iterator[Event]:
    """The end of the assistant's turn: a usage note, then the closing event, whose `resume` is the interaction's id.

    Raises:
        AssistantError: the interaction failed or was cancelled, or this is not an interaction.
    """
    if any(usage := _counts(get_object(interaction, "usage"))):
        yield Usage(*usage)
    steps = get_objects(interaction, "steps")
    text = _text(steps)
    calls = tuple(
        ToolCall(get_text(step, "id"), get_text(step, "name"), get_arguments(step, "arguments") or "{}")
        for step in steps
        if step.get("type") == "function_call"
    )
    problem = next(iter(get_objects(interaction, "errors")), {})
    number = interaction.get("id")
    match status := interaction.get("status"):
        case "requires_action" | "completed" if calls:
            yield ActionRequired(calls, text, raw=_raw(steps), resume=number)
        case "completed":
            yield AssistantMessageRetrieved(text, raw=_raw(steps), resume=number)
        case "incomplete" | "requires_continuation" | "budget_exceeded":
            if problem.get("message"):
                yield Notice(f"The model stopped: {problem['message']}")
            reason = "budget_exceeded" if status == "budget_exceeded" else "max_output_tokens"
            # A call that was cut off is never answered, so nothing that came with it goes back.
            yield MessageIncomplete(text, reason, raw=None if calls else _raw(steps), resume=number)
        case "failed":
            raise _failure(problem)
        case "cancelled":
            raise _cancelled()
        case None if error := get_object(interaction, "error"):  # a failure with the status of a success
            raise _failure(error)
        case _:
            raise AssistantError("protocol", f"The interaction has the unknown status '{status}'.", "Check base_url.")


def _interaction(event: JSON) -> JSON:
    """The interaction in an event; LiteLLM (1.106) puts its fields into the event itself."""
    return get_object(event, "interaction") or event


def _opening(step: JSON) -> Iterator[Event]:
    """What a step already contains when it begins."""
    if text := _text([step]):
        yield ChunkReceived(text)
    yield from _summary(step)


def _summary(step: JSON) -> Iterator[Event]:
    for part in get_objects(step, "summary"):
        if text := get_text(part, "text"):
            yield Reasoning(text)


def _with(summary: list[JSON], content: JSON) -> list[JSON]:
    """A summary with one more piece; text joins the text before it."""
    last = summary[-1] if summary else {}
    if set(last) == {"type", "text"} == set(content) and last["type"] == content["type"]:
        return [*summary[:-1], last | {"text": f"{last['text']}{content['text']}"}]
    return [*summary, content]


def _failure(error: JSON) -> AssistantError:
    code, message = str(error.get("code") or "").rpartition("/")[2], get_text(error, "message")
    return blocked(code, message) if code in FILTERED else failure(code, message or "The interaction failed.")


def _cancelled() -> AssistantError:
    return AssistantError("interrupted", "The interaction was cancelled at Google.", "Ask again.")


def _raw(steps: list[JSON]) -> JSON | None:
    """What must go back unchanged; None if text and calls say the same."""
    return None if all(step.get("type") in ("model_output", "function_call") for step in steps) else {"steps": steps}


def _text(steps: list[JSON]) -> str:
    parts = (part for step in steps if step.get("type") == "model_output" for part in get_objects(step, "content"))
    return "".join(get_text(part, "text") for part in parts if part.get("type") == "text")


def _counts(usage: JSON) -> tuple[int, int, int, int]:
    """Tokens in the order of `Usage`; thoughts are output, as with other providers."""
    read, tools, written, cached, thought = (
        get_count(usage, f"total_{name}_tokens") for name in ("input", "tool_use", "output", "cached", "thought")
    )
    return read + tools, written + thought, cached, thought


def _object(text: str) -> Any:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    return value if isinstance(value, dict) else {"arguments": text}
