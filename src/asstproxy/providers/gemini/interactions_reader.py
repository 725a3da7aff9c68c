"""The Interactions API, from Google to us: folds the events of a stream, or a whole interaction, into our events.

Source: https://ai.google.dev/api/interactions-api. Events carry steps piece by piece; the last one says how it ended
and usually leaves the steps out. No input or output of its own.
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
from ..transport import JSON
from ..transport.failures import failure
from .finish_reasons import FILTERED, blocked

__all__ = ["Reader", "outcome", "thoughts", "unfinished"]

UNFINISHED = ("queued", "in_progress")


class Reader:
    """`feed` it every event. `interaction` is its id, `last` that of the last event: with both, a stream can go on."""

    def __init__(self) -> None:
        self.done = False
        self.interaction: str | None = None
        self.last: str | None = None
        self._seen: set[str] = set()
        self._steps: dict[int, JSON] = {}
        self._pieces: dict[int, list[str]] = {}  # of a text, or of the JSON of arguments

    def feed(self, event: JSON) -> Iterator[Event]:
        """Our events for one of the API's; one that was heard before says nothing, nor does one after the last.

        Raises:
            AssistantError: the API reports a failure.
        """
        if self.done:
            return
        number = event.get("event_id")
        if isinstance(number, str) and number:
            if number in self._seen:
                return
            self._seen.add(number)
            self.last = number
        index = event.get("index")
        match event.get("event_type"):
            case "interaction.created":
                self.interaction = _interaction(event).get("id") or self.interaction
            case "interaction.status_update" if event.get("status") == "cancelled":
                raise _cancelled()
            case "step.start" if isinstance(index, int):
                self._steps[index] = step = copy.deepcopy(_dict(event.get("step")))
                self._pieces[index] = []
                yield from _opening(step)
            case "step.delta" if isinstance(index, int):
                yield from self._delta(index, _dict(event.get("delta")))
            case "interaction.completed":
                self.done = True
                interaction = _interaction(event)
                self.interaction = interaction.get("id") or self.interaction
                told = {"id": self.interaction, "status": "completed", "steps": self._whole()}
                yield from outcome(told | {key: value for key, value in interaction.items() if value})
            case "error":
                raise _failure(_dict(event.get("error")) or event)
            case None if isinstance(event.get("error"), dict):
                raise _failure(event["error"])

    def _delta(self, index: int, delta: JSON) -> Iterator[Event]:
        step = self._steps.setdefault(index, {"type": "model_output"})
        pieces = self._pieces.setdefault(index, [])
        match delta.get("type"):
            case "text":
                pieces.append(str(delta.get("text") or ""))
                if pieces[-1]:
                    yield ChunkReceived(pieces[-1])
            case "arguments_delta":
                pieces.append(str(delta.get("arguments") or ""))
            case "thought_summary":
                content = _dict(delta.get("content"))
                step["summary"] = _with(_list(step.get("summary")), content)
                if content.get("text"):
                    yield Reasoning(str(content["text"]))
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


def unfinished(interaction: JSON) -> bool:
    """Whether Google is still working on it."""
    return interaction.get("status") in UNFINISHED


def thoughts(interaction: JSON) -> Iterator[Event]:
    """What an interaction that was not streamed shows of the model's thinking."""
    for step in _list(interaction.get("steps")):
        yield from _summary(step)


def outcome(interaction: JSON) -> Iterator[Event]:
    """The end of the assistant's turn: a usage note, then the closing message, whose `resume` is the interaction's id.

    Raises:
        AssistantError: the interaction failed, was cancelled, or is none.
    """
    if any(usage := _counts(_dict(interaction.get("usage")))):
        yield Usage(*usage)
    steps = _list(interaction.get("steps"))
    text = _text(steps)
    calls = tuple(
        ToolCall(
            str(step.get("id")), str(step.get("name")), json.dumps(step.get("arguments") or {}, ensure_ascii=False)
        )
        for step in steps
        if step.get("type") == "function_call"
    )
    problem = next(iter(_list(interaction.get("errors"))), {})
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
            # A call that was cut off is never answered, so what came with it does not go back.
            yield MessageIncomplete(text, reason, raw=None if calls else _raw(steps), resume=number)
        case "failed":
            raise _failure(problem)
        case "cancelled":
            raise _cancelled()
        case None if error := _dict(interaction.get("error")):  # a failure with the status of a success
            raise _failure(error)
        case _:
            raise AssistantError("protocol", f"The interaction has the unknown status '{status}'.", "Check base_url.")


def _interaction(event: JSON) -> JSON:
    """What an event tells of the interaction; LiteLLM (1.106) leaves the braces out."""
    return _dict(event.get("interaction")) or event


def _opening(step: JSON) -> Iterator[Event]:
    """What a step says already as it begins."""
    if text := _text([step]):
        yield ChunkReceived(text)
    yield from _summary(step)


def _summary(step: JSON) -> Iterator[Event]:
    for part in _list(step.get("summary")):
        if part.get("text"):
            yield Reasoning(str(part["text"]))


def _with(summary: list[JSON], content: JSON) -> list[JSON]:
    """A summary with one more piece; text joins the text before it."""
    last = summary[-1] if summary else {}
    if set(last) == {"type", "text"} == set(content) and last["type"] == content["type"]:
        return [*summary[:-1], last | {"text": f"{last['text']}{content['text']}"}]
    return [*summary, content]


def _failure(error: JSON) -> AssistantError:
    code, message = str(error.get("code") or "").rpartition("/")[2], str(error.get("message") or "")
    return blocked(code, message) if code in FILTERED else failure(code, message or "The interaction failed.")


def _cancelled() -> AssistantError:
    return AssistantError("interrupted", "The interaction was cancelled at Google.", "Ask again.")


def _raw(steps: list[JSON]) -> JSON | None:
    """What must go back unchanged; None when our own words say the same."""
    return None if all(step.get("type") in ("model_output", "function_call") for step in steps) else {"steps": steps}


def _text(steps: list[JSON]) -> str:
    parts = (part for step in steps if step.get("type") == "model_output" for part in _list(step.get("content")))
    return "".join(str(part.get("text") or "") for part in parts if part.get("type") == "text")


def _counts(usage: JSON) -> tuple[int, int, int, int]:
    """Tokens in the order of `Usage`; thoughts are output, as with other providers."""

    def count(name: str) -> int:
        value = usage.get(f"total_{name}_tokens")
        return value if isinstance(value, int) else 0

    thoughts = count("thought")
    return count("input") + count("tool_use"), count("output") + thoughts, count("cached"), thoughts


def _object(text: str) -> Any:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    return value if isinstance(value, dict) else {"arguments": text}


def _dict(value: Any) -> JSON:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[JSON]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
