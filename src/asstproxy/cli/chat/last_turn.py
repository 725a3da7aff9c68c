"""The latest turn, kept for `/states`, `/thoughts` and `/call`: its path, its reasoning, its calls."""

from __future__ import annotations

from dataclasses import dataclass

from ...core.events import (
    ActionRequired,
    ApprovalGiven,
    ChunkReceived,
    Reasoning,
    Record,
    SetUserMessage,
    ToolFinished,
    ToolResult,
    ToolStarted,
    Usage,
)
from ...text.figures import seconds_between
from ..render.timeline import Timeline

__all__ = ["KeptCall", "LastTurn", "Thought"]


@dataclass(slots=True)
class KeptCall:
    """A tool call with everything that is known of it."""

    call_id: str
    name: str
    arguments: str
    output: str = ""
    error: str | None = None
    printed: str = ""
    seconds: float | None = None
    approved_by: str = ""
    refused_by: str = ""
    reason: str = ""
    is_edited: bool = False

    def finish(self, result: ToolResult) -> None:
        """Keep its result, without the note for the assistant that the person changed the arguments."""
        output, error = result.output, result.error
        if self.is_edited:
            from ...tools.edit_note import without_edit_note  # late: few calls are edited

            output = without_edit_note(output, self.arguments)
            error = None if error is None else without_edit_note(error, self.arguments)
        self.output, self.error = output, error


@dataclass(slots=True)
class Thought:
    """A piece of reasoning, and how long it took."""

    text: str
    began: str
    seconds: float = 0.0


class LastTurn:
    """Folds records; everything is forgotten when a new turn begins."""

    def __init__(self) -> None:
        self._begin(None)

    def _begin(self, record: Record | None) -> None:
        self.timeline = Timeline(record) if record is not None else None
        self.calls: list[KeptCall] = []
        self.thoughts: list[Thought] = []
        self.output_tokens = self.reasoning_tokens = 0
        self._thinks = False

    def __call__(self, record: Record) -> None:
        """Fold the next record."""
        event = record.event
        if isinstance(event, SetUserMessage):
            self._begin(record)
        if self.timeline is None:
            return
        self.timeline.fold(record)
        if isinstance(event, Reasoning):
            self._think(event.text, record.at)
            return
        if self._thinks and isinstance(event, ChunkReceived | ActionRequired):
            self.thoughts[-1].seconds = seconds_between(self.thoughts[-1].began, record.at)
            self._thinks = False
        match event:
            case ActionRequired(calls=calls):
                self.calls += [KeptCall(call.call_id, call.name, call.arguments) for call in calls]
            case ApprovalGiven(decisions=decisions):
                for decision in decisions:
                    if not decision.approved and (call := self._call(decision.call_id)):
                        call.refused_by, call.reason = decision.by or "unknown", decision.reason
            case ToolStarted(call_id=call_id, arguments=arguments, approved_by=by):
                if call := self._call(call_id):
                    call.is_edited = call.arguments != arguments
                    call.arguments, call.approved_by = arguments, by
            case ToolFinished(result=result, seconds=seconds, printed=printed):
                if call := self._call(result.call_id):
                    call.seconds, call.printed = seconds, printed
                    call.finish(result)
            case Usage(output_tokens=written, reasoning_tokens=reasoning):
                self.output_tokens += written
                self.reasoning_tokens += reasoning
            case _:
                pass

    def _think(self, text: str, at: str) -> None:
        if not self._thinks:
            self._thinks = True
            self.thoughts.append(Thought("", at))
        thought = self.thoughts[-1]
        thought.text += text
        thought.seconds = seconds_between(thought.began, at)

    def _call(self, call_id: str) -> KeptCall | None:
        return next((call for call in reversed(self.calls) if call.call_id == call_id), None)
