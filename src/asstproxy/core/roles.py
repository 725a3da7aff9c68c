"""The contract of an Assistant Proxy: alone in calling a provider's API.

    Started (or ToolOutputsSubmitted) first; then any Heartbeat, ChunkReceived or note; last exactly one of
    ActionRequired, AssistantMessageRetrieved, MessageIncomplete. Failures are raised as AssistantError.

`Started` is said before the request goes out. Polling, request/reply and streaming are what the iterator does inside. To
cancel, the iterator is cancelled or closed; it then tells the provider, within two seconds. `asstproxy.testing` holds the
suite that every provider passes, and docs/providers.md shows how to write one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, Protocol

import msgspec

from .events import Event, ToolResult
from .history import Item

__all__ = ["AssistantProxy", "Attachable", "ToolSpec", "Turn"]


class ToolSpec(msgspec.Struct, frozen=True):
    """A function as the assistant sees it; `parameters` is a JSON schema of type `object`."""

    name: str
    description: str
    parameters: dict[str, Any]


class Turn(msgspec.Struct, frozen=True):
    """Everything a provider needs for one exchange.

    `history` is neutral; `resume` is the provider's own opaque JSON (see `AssistantMessageRetrieved`) or None. `settings`
    are the provider's own parameters, sent only because the user set them. `stream` and `background` say how to ask.
    """

    text: str
    history: tuple[Item, ...] = ()
    instructions: str = ""
    model: str = ""
    tools: tuple[ToolSpec, ...] = ()
    settings: dict[str, Any] = {}
    resume: Any = None
    stream: bool = True
    background: bool = False


class AssistantProxy(Protocol):
    """One conversation partner. It serves one exchange at a time."""

    provider: str
    """The name under which the provider is registered."""
    model: str
    """The model that answers when a turn names none."""

    def start_processing(self, turn: Turn) -> AsyncIterator[Event]:
        """Open an exchange with the assistant."""

    def submit_tool_outputs(self, results: Sequence[ToolResult]) -> AsyncIterator[Event]:
        """Answer the calls of the last `ActionRequired`: one result per call, in their order."""

    async def aclose(self) -> None:
        """Let go of connections and processes. The proxy is not used again."""


class Attachable(Protocol):
    """What an Assistant Proxy may have on top, when an exchange can go on at its provider without us (in the background).

    Such a proxy says in heartbeats where the exchange stands there (`Heartbeat.resume`).
    """

    def attach(self, turn: Turn) -> AsyncIterator[Event]:
        """Take up again an exchange that another process left behind: no opening message, then as `start_processing`.

        `turn.resume` is that of the last heartbeat; everything that was said after it is said again. `turn.history` ends with
        what was said in this exchange so far, and `turn.text` is empty.
        """
