"""`replay:SESSION`: an assistant that repeats what was recorded, while tools and views are real. It sends nothing.

What it is given is compared with the recording. At the first difference it fails and shows the nearest recorded message, so
that an integration can be tested without a network.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from ..config.profiles import Profile
from ..config.provider_info import ProviderInfo
from ..core.attachment import Attachment
from ..core.errors import AssistantError, NotSetUpError, SessionError
from ..core.events import (
    ActionRequired,
    AssistantMessageRetrieved,
    Cancelled,
    Configured,
    ErrorOccurred,
    Event,
    Heartbeat,
    MessageIncomplete,
    Reasoning,
    Record,
    SchemaMismatch,
    SetUserMessage,
    Started,
    ToolOutputsSubmitted,
    ToolResult,
    ToolsExecuted,
    Usage,
)
from ..core.history import UserMessage
from ..core.roles import ASSISTANT_MESSAGES, SchemaSupport
from ..core.turn import Turn

__all__ = ["ReplayProvider", "connect"]

INFO = ProviderInfo("a recorded session", prices="local")
_FROM_ASSISTANT = (*ASSISTANT_MESSAGES, Reasoning, Usage)
_WIDTH = 60


@dataclass(slots=True)
class _Exchange:
    text: str
    instructions: str
    attachments: tuple[Attachment, ...] = ()
    replies: list[list[Event]] = field(default_factory=list)

    def is_asked_by(self, turn: Turn) -> bool:
        """Whether this is the message of the turn, with the same files; text files come before its text."""
        if any(one.kind == "text" for one in self.attachments):
            return turn.text.endswith(self.text)
        return turn.text == self.text

    results: list[tuple[ToolResult, ...]] = field(default_factory=list)


class ReplayProvider:
    """Plays the assistant's side of a recording, exchange by exchange, without the pauses."""

    provider = "replay"
    structured = SchemaSupport(recursive=True)

    def __init__(self, records: Iterable[Record], name: str = "") -> None:
        self.model = ""
        self._name = name
        self._exchanges = list(_exchanges(records))
        self._next = self._round = 0
        for exchange in self._exchanges:
            for event in exchange.replies[0] if exchange.replies else []:
                if isinstance(event, Started) and not self.model:
                    self.model = event.model

    async def accepts(self, model: str) -> Mapping[str, int]:  # noqa: ARG002 - the recording decides
        """See `AcceptsAttachments`: what was recorded."""
        return {one.media_type: sys.maxsize for exchange in self._exchanges for one in exchange.attachments}

    async def start_processing(self, turn: Turn) -> AsyncIterator[Event]:
        """Repeat the recorded answer to this message.

        Raises:
            AssistantError: the recording has another message here, or a failure.
        """
        yield Started(self.provider, turn.model or self.model)
        if self._next == 0:  # a session that continues in another process
            self._next = sum(isinstance(item, UserMessage) for item in turn.history)
        if self._next >= len(self._exchanges):
            raise self._departs(
                f"it ends after turn {len(self._exchanges)}, and now comes {_quoted(turn.text)}", turn.text
            )
        exchange = self._exchanges[self._next]
        if not exchange.is_asked_by(turn):
            raise self._departs(
                f"recorded was {_quoted(exchange.text, turn.text)}, now comes {_quoted(turn.text, exchange.text)}",
                turn.text,
            )
        was_attached = [one.sha256 for one in exchange.attachments if one.kind != "text"]
        if was_attached != [one.sha256 for one in turn.attachments]:
            raise self._departs("other files are attached")
        if turn.instructions and turn.instructions != exchange.instructions:
            was, now = exchange.instructions, turn.instructions
            raise self._departs(f"the instructions were {_quoted(was, now)}, now they are {_quoted(now, was)}")
        self._next, self._round = self._next + 1, 0
        for event in self._reply(exchange):
            yield event

    async def submit_tool_outputs(self, results: Sequence[ToolResult]) -> AsyncIterator[Event]:
        """Repeat the recorded answer to these results.

        Raises:
            AssistantError: a result differs from the recorded one, or the recording has a failure here.
        """
        yield ToolOutputsSubmitted()
        exchange = self._exchanges[self._next - 1]
        recorded = exchange.results[self._round] if self._round < len(exchange.results) else ()
        for was, now in zip(recorded, results, strict=False):
            if (was.output, was.error) != (now.output, now.error):
                a, b = was.output if was.error is None else was.error, now.output if now.error is None else now.error
                raise self._departs(f"the tool's result was {_quoted(a, b)}, now it is {_quoted(b, a)}")
        if len(recorded) != len(results):
            raise self._departs(f"{len(recorded)} tool results were recorded, now there are {len(results)}")
        self._round += 1
        for event in self._reply(exchange):
            yield event

    def _reply(self, exchange: _Exchange) -> Iterable[Event]:
        if self._round >= len(exchange.replies):
            raise self._departs("it ends here: the process was stopped, or the recording is older")
        for event in exchange.replies[self._round]:
            if isinstance(event, ErrorOccurred):
                raise AssistantError(event.kind, event.message, event.hint)  # type: ignore[arg-type]  # a newer asst may know more
            if isinstance(event, Cancelled):
                raise AssistantError("interrupted", f"Here the recorded turn was stopped ({event.reason}).")
            if not isinstance(event, Started | ToolOutputsSubmitted):
                yield event

    def _departs(self, how: str, text: str = "") -> AssistantError:
        number = min(self._next + 1, len(self._exchanges) + 1)
        others = [exchange.text for exchange in self._exchanges]
        near = difflib.get_close_matches(text[:1000], [other[:1000] for other in others], 1, 0.3) if text else []
        hint = f"Nearest recorded message: {_quoted(near[0])}." if near else "Nothing was sent anywhere."
        return AssistantError(
            "invalid_request",  # the same again departs again
            f"The conversation departs from {self._name or 'the recording'} at turn {number}: {how}.",
            hint,
        )

    async def aclose(self) -> None:
        """Nothing to close."""


def _exchanges(records: Iterable[Record]) -> Iterable[_Exchange]:
    """Both sides of the recording. An exchange that failed and was repeated counts as it happened."""
    instructions, found = "", None
    for record in records:
        match record.event:
            case Configured(instructions=text):
                instructions = text
            case SetUserMessage(text=text, attachments=attachments):
                if found is not None:
                    yield found
                found = _Exchange(text, instructions, attachments)
            case SchemaMismatch(text=text, correction=correction) if found is not None and found.replies:
                found.replies[-1].append(AssistantMessageRetrieved(text))
                yield found
                found = _Exchange(correction, instructions, replies=[[]])
            case ToolsExecuted(results=results) if found is not None:
                found.results.append(results)
            case Started() | ToolOutputsSubmitted() as event if found is not None:
                found.replies.append([event])
            case event if (
                found is not None and found.replies and isinstance(event, (*_FROM_ASSISTANT, ErrorOccurred, Cancelled))
            ):
                found.replies[-1].append(_plain(event))
    if found is not None:
        yield found


def _plain(event: Any) -> Event:
    """The event without `raw` and `resume`, which only its own provider understands."""
    if isinstance(event, Heartbeat):
        return Heartbeat(event.status)
    if isinstance(event, ActionRequired | MessageIncomplete) or hasattr(event, "raw"):
        plain: Event = msgspec.structs.replace(event, raw=None, resume=None)
        return plain
    adapted: Event = event
    return adapted


def _quoted(text: str, other: str = "") -> str:
    """The text in quotation marks; if it is long, only the part where it first differs from the other."""
    at = next((i for i, (a, b) in enumerate(zip(text, other, strict=False)) if a != b), min(len(text), len(other)))
    start = max(at - _WIDTH // 2, 0) if other and len(text) > _WIDTH else 0
    cut = text[start : start + _WIDTH]
    return f"'{'…' if start else ''}{cut}{'…' if start + _WIDTH < len(text) else ''}'"


def connect(profile: Profile, *, client: Any = None) -> ReplayProvider:  # noqa: ARG001 - as every provider's
    """The assistant of the profile `replay:SESSION` (the beginning of an id, or a file; empty: the latest session).

    Raises:
        NotSetUpError: the session does not exist or can't be read.
    """
    from pathlib import Path

    from ..store.imports import records_of_file
    from ..store.store import Store

    name = str(profile.options.get("session", ""))
    try:
        if name.endswith((".jsonl", ".json")) or "/" in name:
            return ReplayProvider(records_of_file(Path(name)), name)
        store = Store()
        session = store.find(name) if name else store.newest()
        return ReplayProvider(store.records(session), session)
    except SessionError as error:
        raise NotSetUpError(str(error), error.hint, code=error.code, data=error.data) from error
