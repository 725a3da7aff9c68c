"""Resuming: an exchange that a process left behind when it died may still run at the provider, in the background.

The provider reports in a heartbeat where the exchange stands there (`Heartbeat.resume`), so that is in the journal. A proxy
that has `attach` continues from the last such heartbeat; it repeats what came after it, and that is left out here.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from typing import Any, cast

import msgspec

from .events import (
    ChunkReceived,
    Event,
    Heartbeat,
    Reasoning,
    Record,
    SchemaMismatch,
    SetUserMessage,
    Started,
    TakenOver,
    ToolOutputsSubmitted,
)
from .roles import Attachable
from .script import LISTENING

__all__ = ["InFlight", "can_attach", "in_flight_exchange", "last_exchange", "skip_received"]


class InFlight(msgspec.Struct):
    """An exchange that runs without us. `received`: characters that came after its token `resume`, by kind of text.

    `schema`: what its answer must fit. `corrected`: an answer did not, and the assistant was asked again.
    """

    provider: str = ""
    model: str = ""
    resume: Any = None
    received: dict[str, int] = {}
    schema: dict[str, Any] | None = None
    corrected: bool = False


def in_flight_exchange(past: Iterable[Record]) -> InFlight | None:
    """The exchange that these records leave running at its provider; None if there is none to attach to."""
    in_flight: InFlight | None = None
    assistant, last = ("", ""), None
    schema: dict[str, Any] | None = None
    corrected = False
    for record in past:
        last = record
        match record.event:
            case SetUserMessage(schema=schema):
                in_flight, corrected = None, False
            case ToolOutputsSubmitted():
                in_flight = None
            case SchemaMismatch():
                in_flight, corrected = None, True
            case Started(provider=provider, model=model) | TakenOver(provider=provider, model=model):
                assistant, in_flight = (provider, model), None
            case Heartbeat(resume=resume) if resume is not None:
                in_flight = InFlight(*assistant, resume=resume, received={}, schema=schema, corrected=corrected)
            case ChunkReceived() | Reasoning() as chunk if in_flight is not None:
                kind = _kind(chunk)
                in_flight.received[kind] = in_flight.received.get(kind, 0) + len(chunk.text)
    return in_flight if last is not None and last.state in LISTENING else None


def can_attach(assistant: object, past: Iterable[Record]) -> bool:
    """Whether this assistant can continue the exchange that these records leave running."""
    in_flight = in_flight_exchange(past) if isinstance(assistant, Attachable) else None
    return in_flight is not None and in_flight.provider == getattr(assistant, "provider", None)


def last_exchange(past: Sequence[Record]) -> Sequence[Record]:
    """The records from the person's last message on."""
    start = next((i for i in range(len(past) - 1, -1, -1) if isinstance(past[i].event, SetUserMessage)), len(past))
    return past[start:]


async def skip_received(events: AsyncIterator[Event], received: dict[str, int]) -> AsyncGenerator[Event]:
    """What an attached assistant yields, without the text that is in the journal already (characters, by kind)."""
    left = dict(received)
    async with contextlib.aclosing(cast("AsyncGenerator[Event]", events)):
        async for event in events:
            if isinstance(event, ChunkReceived | Reasoning) and (known := left.get(_kind(event), 0)):
                left[_kind(event)] = max(known - len(event.text), 0)
                if len(event.text) > known:
                    yield msgspec.structs.replace(event, text=event.text[known:])
            else:
                yield event


def _kind(chunk: ChunkReceived | Reasoning) -> str:
    return chunk.phase if isinstance(chunk, ChunkReceived) else "reasoning"
