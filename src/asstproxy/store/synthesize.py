"""A transcript told again as records: what a journal of it could have been. Times within an exchange are those of its steps."""

from __future__ import annotations

from collections.abc import Iterator

from ..core.events import (
    ActionRequired,
    AssistantMessageRetrieved,
    Cancelled,
    ChunkReceived,
    Configured,
    ErrorOccurred,
    Event,
    MessageIncomplete,
    Record,
    SessionOpened,
    SetUserMessage,
    Started,
    Titled,
    ToolCall,
    ToolFinished,
    ToolOutputsSubmitted,
    ToolResult,
    ToolsExecuted,
    Usage,
)
from ..core.script import STEPS, State
from .transcript import ExchangeEntry, Transcript

__all__ = ["synthesize_records"]


def synthesize_records(transcript: Transcript) -> Iterator[Record]:
    """The records. They conform to the script, whatever the transcript says."""
    state = State.NEW
    for seq, (at, event) in enumerate(_events(transcript), 1):
        state = STEPS[event.type].dest if event.type in STEPS else state
        yield Record(seq, at, state, event)


def _events(whole: Transcript) -> Iterator[tuple[str, Event]]:
    began = whole.created or (whole.exchanges[0].started if whole.exchanges else "")
    yield began, SessionOpened(whole.id)
    yield began, Configured(profile=whole.profile, provider=whole.provider, model=whole.model)
    if whole.title:
        yield began, Titled(whole.title)
    for entry in whole.exchanges:
        yield from _exchange(entry)


def _exchange(entry: ExchangeEntry) -> Iterator[tuple[str, Event]]:
    times = {step.state: step.at for step in reversed(entry.steps)}
    start, end = entry.started, entry.updated or entry.started
    yield start, SetUserMessage(entry.user)
    yield times.get(State.STARTED, start), Started(entry.provider, entry.model)
    if entry.tools:
        asked, done = times.get(State.REQUIRES_ACTION, start), times.get(State.TOOLS_EXECUTED, end)
        results = tuple(ToolResult(tool.call_id, tool.output, tool.error) for tool in entry.tools)
        yield asked, ActionRequired(tuple(ToolCall(t.call_id, t.name, t.arguments) for t in entry.tools))
        for tool, result in zip(entry.tools, results, strict=True):
            if tool.seconds is not None:
                yield done, ToolFinished(result, tool.seconds)
        yield done, ToolsExecuted(results)
        yield times.get(State.TOOL_OUTPUTS_SUBMITTED, done), ToolOutputsSubmitted()
    used = entry.usage
    if used.input or used.output:
        yield end, Usage(used.input, used.output, used.cached, used.reasoning)
    yield from ((end, event) for event in _ending(entry))


def _ending(entry: ExchangeEntry) -> Iterator[Event]:
    match entry.state:
        case State.COMPLETED:
            yield AssistantMessageRetrieved(entry.answer)
        case State.INCOMPLETE:
            yield MessageIncomplete(entry.answer, entry.reason)
        case _:
            if entry.answer:
                yield ChunkReceived(entry.answer)
            if entry.state == State.CANCELLED:
                yield Cancelled()
            else:
                yield ErrorOccurred("interrupted", entry.reason or "The exchange did not end.")
