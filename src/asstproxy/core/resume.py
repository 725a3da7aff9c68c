"""Attaching again: an exchange that a process left behind when it died may go on at the provider, in the background.

The provider says in a heartbeat where the exchange stands there (`Heartbeat.resume`), so that is in the journal. A proxy that
has `attach` takes it up from the last such heartbeat; what was said after it is said again, and is left out here.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from typing import Any, cast

import msgspec

from .events import ChunkReceived, Event, Heartbeat, Reasoning, Record, SetUserMessage, Started, ToolOutputsSubmitted
from .script import LISTENING

__all__ = ["InFlight", "can_attach", "in_flight_exchange", "last_exchange", "skip_received"]


class InFlight(msgspec.Struct):
    """An exchange that goes on without us. `heard`: characters that came after its token `resume`, by kind."""

    provider: str = ""
    model: str = ""
    resume: Any = None
    heard: dict[str, int] = {}


def in_flight_exchange(past: Iterable[Record]) -> InFlight | None:
    """The exchange that these records leave under way at its provider; None if there is none to attach to."""
    running: InFlight | None = None
    speaker, last = ("", ""), None
    for record in past:
        last = record
        match record.event:
            case SetUserMessage() | ToolOutputsSubmitted():
                running = None
            case Started(provider=provider, model=model):
                speaker, running = (provider, model), None
            case Heartbeat(resume=resume) if resume is not None:
                running = InFlight(*speaker, resume=resume, heard={})
            case ChunkReceived() | Reasoning() as piece if running is not None:
                kind = _kind(piece)
                running.heard[kind] = running.heard.get(kind, 0) + len(piece.text)
    return running if last is not None and last.state in LISTENING else None


def can_attach(assistant: object, past: Iterable[Record]) -> bool:
    """Whether this assistant can take up the exchange that these records leave under way."""
    running = in_flight_exchange(past) if hasattr(assistant, "attach") else None
    return running is not None and running.provider == getattr(assistant, "provider", None)


def last_exchange(past: Sequence[Record]) -> Sequence[Record]:
    """The records from the last message of the person on."""
    start = next((i for i in range(len(past) - 1, -1, -1) if isinstance(past[i].event, SetUserMessage)), len(past))
    return past[start:]


async def skip_received(events: AsyncIterator[Event], heard: dict[str, int]) -> AsyncGenerator[Event]:
    """What an attached assistant says, without the pieces that are in the journal."""
    left = dict(heard)
    async with contextlib.aclosing(cast("AsyncGenerator[Event]", events)):
        async for event in events:
            if isinstance(event, ChunkReceived | Reasoning) and (known := left.get(_kind(event), 0)):
                left[_kind(event)] = max(known - len(event.text), 0)
                if len(event.text) > known:
                    yield msgspec.structs.replace(event, text=event.text[known:])
            else:
                yield event


def _kind(piece: ChunkReceived | Reasoning) -> str:
    return piece.phase if isinstance(piece, ChunkReceived) else "reasoning"
