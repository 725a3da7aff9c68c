"""The two actors of a conversation, as the mediator's side sees them. They never see each other.

The contract of an Assistant Proxy, which alone calls a provider's API:

    Started (or ToolOutputsSubmitted) first; then any Heartbeat, ChunkReceived or note; last exactly one of
    ActionRequired, AssistantMessageRetrieved, MessageIncomplete. Failures are raised as AssistantError.

`Started` is yielded before the request goes out. Polling, request/reply and streaming are what the iterator does inside. To
cancel, the iterator is cancelled or closed; it then tells the provider, within two seconds. `asstproxy.testing` holds the
suite that every provider passes, and docs/providers.md shows how to write one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import msgspec

from .errors import UsageError
from .events import (
    ActionRequired,
    ApprovalGiven,
    ApprovalRequested,
    AssistantMessageRetrieved,
    ChunkReceived,
    Cited,
    Event,
    Heartbeat,
    MessageIncomplete,
    Notice,
    Reasoning,
    Skipped,
    Started,
    TakenOver,
    ToolCall,
    ToolOutputsSubmitted,
    ToolResult,
    ToolsExecuted,
    Unknown,
    Usage,
)
from .turn import OfferedTool, Turn

__all__ = [
    "ASSISTANT_EVENTS",
    "ASSISTANT_MESSAGES",
    "CLOSING",
    "OPENING",
    "AcceptsAttachments",
    "AssistantProxy",
    "Attachable",
    "Publish",
    "SchemaSupport",
    "Structured",
    "UserProxy",
]

OPENING = (Started, ToolOutputsSubmitted)
"""The messages that open a reply of an Assistant Proxy."""
CLOSING = (ActionRequired, AssistantMessageRetrieved, MessageIncomplete)
"""The messages that end one."""
ASSISTANT_MESSAGES = (*OPENING, Heartbeat, ChunkReceived, *CLOSING)
"""The messages that an Assistant Proxy may yield."""
ASSISTANT_NOTES = (Usage, Reasoning, Notice, Cited, Skipped, TakenOver)
"""The notes that it may yield; all others are the conversation's own."""
ASSISTANT_EVENTS = (*ASSISTANT_MESSAGES, *ASSISTANT_NOTES)
"""All that it may yield."""

Publish = Callable[[Event], object]
"""Publishes an event of the running exchange."""


class AssistantProxy(Protocol):
    """The active stand-in for a passive remote assistant. It serves one exchange at a time."""

    provider: str
    """The name under which the provider is registered."""
    model: str
    """The model that answers when a turn names none."""

    def start_processing(self, turn: Turn) -> AsyncIterator[Event]:
        """Open an exchange with the assistant: `Started` first, then what the assistant sends, a closing event last.

        Raises:
            AssistantError: the request failed; the driver repeats it if it is `retryable` and no text has come yet.
        """

    def submit_tool_outputs(self, results: Sequence[ToolResult]) -> AsyncIterator[Event]:
        """Answer the calls of the last `ActionRequired`: one result per call, in their order.

        `ToolOutputsSubmitted` comes first, then as with `start_processing`.

        Raises:
            AssistantError: as `start_processing`.
        """

    async def aclose(self) -> None:
        """Close connections and end processes. The proxy is not used again."""


@runtime_checkable
class Attachable(Protocol):
    """What an Assistant Proxy adds when an exchange can run on at its provider without us (in the background).

    Such a proxy reports in heartbeats where the exchange stands there (`Heartbeat.resume`).
    """

    def attach(self, turn: Turn) -> AsyncIterator[Event]:
        """Continue an exchange that another process left running: no opening message, then as `start_processing`.

        `turn.resume` is that of the last heartbeat; every event after it is yielded again. `turn.history` ends with what
        this exchange produced so far, and `turn.text` is empty.
        """


@runtime_checkable
class AcceptsAttachments(Protocol):
    """What an Assistant Proxy adds when it can send files other than text (`Turn.attachments`) to its assistant."""

    async def accepts(self, model: str) -> Mapping[str, int]:
        """The media types that this model can read, each with the most bytes of one file; asked before anything is sent.

        Raises:
            AssistantError: that can't be found out.
        """


class SchemaSupport(msgspec.Struct, frozen=True, kw_only=True):
    """What schemas the API of an Assistant Proxy takes. A proxy that has one sends `Turn.schema` to its API.

    `recursive`: a schema may refer to itself. `depth`: levels of objects and arrays at most; 0: no limit is known.
    """

    recursive: bool = False
    depth: int = 0

    def check(self, schema: Mapping[str, Any], assistant: str) -> None:
        """Refuse a schema that the API would refuse.

        Raises:
            UsageError: with the reason.
        """
        from .schema_walk import depth, recursion

        if not self.recursive and (name := recursion(schema)):
            raise UsageError(
                f"The schema refers to itself ('{name}'), which {assistant} doesn't accept.",
                "Write out the levels that you need.",
            )
        if self.depth and (levels := depth(schema)) > self.depth:
            raise UsageError(
                f"The schema is {levels} levels deep; {assistant} accepts {self.depth}.", "Make the schema flatter."
            )


@runtime_checkable
class Structured(Protocol):
    """What an Assistant Proxy adds when its API can hold an answer to a JSON Schema.

    It sends `Turn.schema` in its API's way. Any other proxy is given a function `answer` whose parameters are the schema: the
    assistant's call of it is the answer. In both cases the answer is validated here.
    """

    structured: SchemaSupport
    """What schemas the API takes."""


class UserProxy(Protocol):
    """The person and the internal side: asks for approval, runs the function tools, takes the answer."""

    @property
    def tools(self) -> Mapping[str, OfferedTool]:
        """The tools that the assistant may call, by name."""

    def bind(self, conversation: Any) -> None:
        """Take part in this `Conversation`."""

    async def execute_tools(
        self, calls: Sequence[ToolCall], approved: ApprovalGiven | None, publish: Publish
    ) -> ToolsExecuted | ApprovalRequested:
        """Run the calls of an `ActionRequired`, or request approval first; `approved` answers that request."""

    async def ask_approval(self, calls: Sequence[ToolCall]) -> ApprovalGiven:
        """Ask the person whether these calls may run."""

    def set_assistant_message(self, message: Event | Unknown) -> None:
        """Take the answer (`AssistantMessageRetrieved` or `MessageIncomplete`)."""

    async def clean_up(self) -> None:
        """Close what the tools needed; the conversation is over."""
