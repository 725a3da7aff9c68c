"""The answer of an exchange that failed while the provider worked on it in the background: it can be fetched later."""

from __future__ import annotations

from typing import Any

import msgspec

from .attachment import AttachmentStore
from .events import (
    ActionRequired,
    ApprovalGiven,
    ApprovalRequested,
    AssistantMessageRetrieved,
    Cancelled,
    ChunkReceived,
    ErrorOccurred,
    Event,
    Heartbeat,
    HistoryCompacted,
    HistoryCut,
    MessageIncomplete,
    Reasoning,
    SchemaMismatch,
    SetUserMessage,
    Started,
    ToolFinished,
    ToolOutputsSubmitted,
    ToolsExecuted,
    ToolStarted,
    Unknown,
)
from .history import History, Item

__all__ = ["LostAnswer", "LostAnswerFinder"]


class LostAnswer(msgspec.Struct, frozen=True):
    """An answer at `started.provider`, by its token `resume`; `events` were received before that token, after `started`."""

    message: SetUserMessage
    started: Started
    events: tuple[Event, ...]
    resume: Any

    def items(self, provider: str, model: str, files: AttachmentStore | None) -> tuple[Item, ...]:
        """What the exchange has produced, as this assistant is sent it. `files` has the bytes of attachments."""
        history = History(files)
        for event in (self.message, self.started, *self.events):
            history.feed(event)
        return history.items(provider, model, include_open=True)


class LostAnswerFinder:
    """Fed with every event. Of the newest exchange it keeps what is needed to take it up, once a token of it has come."""

    def __init__(self) -> None:
        self._begin(None)

    def _begin(self, message: SetUserMessage | None) -> None:
        self._message, self._started, self._failed = message, Started(""), False
        self._events: list[Event] = []
        self._resume: Any = None
        self._known = 0  # events before the newest token

    def feed(self, event: Event | Unknown) -> None:
        """Fold one event in."""
        match event:
            case ChunkReceived() | Reasoning():
                if self._resume is not None:
                    self._events.append(event)
            case SetUserMessage():
                self._begin(event)
            case HistoryCut() | HistoryCompacted() | AssistantMessageRetrieved() | MessageIncomplete():
                self._begin(None)
            case Started():
                self._started = event
            case Heartbeat(resume=resume) if resume is not None:
                self._resume, self._known = resume, len(self._events)
            case ActionRequired() | ApprovalRequested() | ApprovalGiven() | ToolsExecuted() | ToolStarted():
                self._events.append(event)
            case ToolFinished():
                self._events.append(event)
            case SchemaMismatch() | ToolOutputsSubmitted():  # the run before it is done, the next one has no token yet
                self._events.append(event)
                self._resume = None
            case Cancelled() | ErrorOccurred():
                self._failed = True

    @property
    def found(self) -> LostAnswer | None:
        """The answer that the newest exchange lost; None: it lost none, or none that can be fetched."""
        if not self._failed or self._message is None or self._resume is None:
            return None
        return LostAnswer(self._message, self._started, tuple(self._events[: self._known]), self._resume)
