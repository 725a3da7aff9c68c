"""An exchange as a sequence diagram: who says what to whom, from the person's side to the provider's API and back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from ...core.codec import to_unix_time
from ...core.events import (
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
    SetUserMessage,
    Started,
    ToolCall,
    ToolFinished,
    ToolOutputsSubmitted,
    ToolsExecuted,
)
from ...core.script import STEPS, Do

__all__ = ["LANES", "Arrow", "arrows"]

LANES = ("User Proxy", "Mediator", "Assistant Proxy", "API")
USER, MEDIATOR, ASSISTANT, API = range(4)
_DOER = {Do.START_PROCESSING: ASSISTANT, Do.SUBMIT_TOOL_OUTPUTS: ASSISTANT}


class Arrow(msgspec.Struct):
    """From one lane to another, or (when both are one) a note at it. `text` says more than the message's name.

    `kind`: a `message` of the script, the `order` that follows from it, bytes on the `wire`, or a `note`. `count`: how many of
    the same kind it stands for (pieces of text, heartbeats); `at`: seconds since the exchange began.
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
    """The arrows of every exchange, in order; neighbouring pieces of text, and heartbeats, are one arrow."""
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
            if len(before.text) < _SHOWN:  # no label is longer; a million pieces must not be copied a million times
                before.text += arrow.text
            return
    drawn.append(arrow)


_SHOWN = 4_000
"""Characters of pieces that are put together for a label."""
_REPEATED = ("chunk_received", "heartbeat", "text")


def _of(record: Record) -> Iterator[Arrow]:
    event = record.event
    match event:
        case SetUserMessage(text=text):
            yield Arrow(USER, MEDIATOR, event.type, text)
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
            yield Arrow(API, ASSISTANT, "function calls", ", ".join(call.name for call in calls), "wire")
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
            yield Arrow(USER, MEDIATOR, event.type, ", ".join("yes" if d.approved else "no" for d in decisions))
        case ToolsExecuted(results=results):
            yield Arrow(
                USER, MEDIATOR, event.type, ", ".join(r.output if r.error is None else r.error for r in results)
            )
        case ToolFinished(result=result, seconds=seconds):
            said = result.output if result.error is None else f"failed: {result.error}"
            yield Arrow(USER, USER, f"tool, {seconds:.2f} s", said, "note")
        case RetryScheduled(delay=delay, message=message):
            yield Arrow(ASSISTANT, ASSISTANT, f"again in {delay:.1f} s", message, "note")
        case Cancelled(reason=reason):
            yield Arrow(USER, MEDIATOR, event.type, reason)
        case ErrorOccurred(kind=kind, message=message):
            yield Arrow(MEDIATOR, MEDIATOR, f"error ({kind})", message, "note")
    step = STEPS.get(event.type)
    if step is not None and step.do is not None:
        yield Arrow(MEDIATOR, _DOER.get(step.do, USER), step.do, "", "order")


def _call(call: ToolCall) -> str:
    return f"{call.name}({call.arguments})"
