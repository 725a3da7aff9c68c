"""The messages of an exchange, as the arrows of a sequence diagram: from the user to the provider's API and back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from ..core.codec import to_unix_time
from ..core.events import (
    ActionRequired,
    ApprovalGiven,
    ApprovalRequested,
    AssistantMessageRetrieved,
    Cancelled,
    ChunkReceived,
    ErrorOccurred,
    Heartbeat,
    MessageIncomplete,
    Record,
    RetryScheduled,
    SchemaMismatch,
    SetUserMessage,
    Started,
    ToolCall,
    ToolFinished,
    ToolOutputsSubmitted,
    ToolsExecuted,
)
from ..core.script import STEPS, Do
from ..text.call_text import call_line, decision_words, output_line

__all__ = ["LANES", "Arrow", "arrows"]

LANES = ("User Proxy", "Mediator", "Assistant Proxy", "API")
USER, MEDIATOR, ASSISTANT, API = range(4)
_DOER = {Do.START_PROCESSING: ASSISTANT, Do.SUBMIT_TOOL_OUTPUTS: ASSISTANT}


class Arrow(msgspec.Struct):
    """From one lane to another; on one lane it is a note. `name` is the message's, `text` its content.

    `kind`: a `message` of the script, the `order` that follows from it, bytes on the `wire`, or a `note`. `count`: how many
    messages it represents (chunks, heartbeats); `at`: seconds since the exchange began.
    """

    source: int
    target: int
    name: str
    text: str = ""
    kind: Literal["message", "order", "wire", "note"] = "message"
    at: float = 0.0
    count: int = 1
    exchange: int = 0


def arrows(records: Iterable[Record]) -> list[Arrow]:
    """The arrows of every exchange, in order. Consecutive chunks are one arrow, and so are heartbeats."""
    drawn: list[Arrow] = []
    exchange, began = 0, 0.0
    for record in records:
        if isinstance(record.event, SetUserMessage):
            exchange, began = exchange + 1, to_unix_time(record.at)
        if not exchange:
            continue
        for arrow in _of(record):
            arrow.at, arrow.exchange = max(to_unix_time(record.at) - began, 0.0), exchange
            _add(drawn, arrow)
    return drawn


def _add(drawn: list[Arrow], arrow: Arrow) -> None:
    recent = drawn[-2:]
    for before in recent:
        if before.name == arrow.name and before.name in _REPEATED and before.exchange == arrow.exchange:
            before.count += 1
            if len(before.text) < _SHOWN:  # no label is longer, and a million chunks must not be copied a million times
                before.text += arrow.text
            return
    drawn.append(arrow)


_SHOWN = 4_000
"""Characters of chunks that are joined for a label."""
_REPEATED = ("chunk_received", "heartbeat", "text")


def _of(record: Record) -> Iterator[Arrow]:
    event = record.event
    match event:
        case SetUserMessage(text=text, attachments=attachments):
            files = " ".join(f"[{one.name}]" for one in attachments)
            yield Arrow(USER, MEDIATOR, event.type, f"{files} {text}".strip() if files else text)
        case Started(provider=provider, model=model):
            yield Arrow(ASSISTANT, MEDIATOR, event.type)
            yield Arrow(ASSISTANT, API, "request", f"{provider} {model}".strip(), "wire")
        case ToolOutputsSubmitted():
            yield Arrow(ASSISTANT, MEDIATOR, event.type)
            yield Arrow(ASSISTANT, API, "request", "tool outputs", "wire")
        case Heartbeat(status=status):
            yield Arrow(ASSISTANT, MEDIATOR, event.type, status or "")
        case ChunkReceived(text=text):
            yield Arrow(API, ASSISTANT, "text", text, "wire")
            yield Arrow(ASSISTANT, MEDIATOR, event.type, text)
        case ActionRequired(calls=calls):
            yield Arrow(API, ASSISTANT, "function calls", ", ".join(call_line(call.name) for call in calls), "wire")
            yield Arrow(ASSISTANT, MEDIATOR, event.type, ", ".join(map(_call, calls)))
        case AssistantMessageRetrieved(text=text):
            yield Arrow(API, ASSISTANT, "end", "", "wire")
            yield Arrow(ASSISTANT, MEDIATOR, event.type, text)
        case MessageIncomplete(reason=reason):
            yield Arrow(API, ASSISTANT, "end", reason, "wire")
            yield Arrow(ASSISTANT, MEDIATOR, event.type, reason)
        case ApprovalRequested(calls=calls):
            yield Arrow(USER, MEDIATOR, event.type, ", ".join(map(_call, calls)))
        case ApprovalGiven(decisions=decisions):
            yield Arrow(
                USER, MEDIATOR, event.type, ", ".join(decision_words(d.approved, d.by, d.reason) for d in decisions)
            )
        case ToolsExecuted(results=results):
            yield Arrow(
                USER,
                MEDIATOR,
                event.type,
                ", ".join(output_line((r.output if r.error is None else r.error)[:_SHOWN]) for r in results),
            )
        case ToolFinished(result=result, seconds=seconds):
            outcome = result.output if result.error is None else f"failed: {result.error}"
            yield Arrow(USER, USER, f"tool, {seconds:.2f} s", output_line(outcome[:_SHOWN]), "note")
        case SchemaMismatch(problems=problems):
            yield Arrow(MEDIATOR, ASSISTANT, "schema_mismatch", "; ".join(problems), "note")
        case RetryScheduled(delay=delay, message=message):
            yield Arrow(ASSISTANT, ASSISTANT, f"retry in {delay:.1f} s", message, "note")
        case Cancelled(reason=reason):
            yield Arrow(USER, MEDIATOR, event.type, reason)
        case ErrorOccurred(kind=kind, message=message):
            yield Arrow(MEDIATOR, MEDIATOR, f"error ({kind})", message, "note")
    step = STEPS.get(event.type)
    if step is not None and step.do is not None:
        yield Arrow(MEDIATOR, _DOER.get(step.do, USER), step.do, "", "order")


def _call(call: ToolCall) -> str:
    return f"{call_line(call.name)}({call_line(call.arguments[:_SHOWN])})"
