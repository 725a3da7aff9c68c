"""What both of Google's APIs have in common: the turns of an exchange, and a second try without what Google refused."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncGenerator, Iterable, Sequence
from typing import Any

import msgspec

from ...core.errors import AssistantError
from ...core.events import (
    ActionRequired,
    ChunkReceived,
    Event,
    Notice,
    Reasoning,
    Started,
    ToolOutputsSubmitted,
    ToolResult,
)
from ...core.history import AssistantSaid, Item, ToolOutputs, UserSaid
from ...core.turn import Turn
from ..transport import Transport

__all__ = ["GeminiProxy"]

SIGNATURE = re.compile(r"thought[ _]?signature", re.IGNORECASE)


class GeminiProxy:
    """One conversation partner behind a transport; a subclass knows how to `_request` an answer to the items so far."""

    provider = "gemini"

    def __init__(self, transport: Transport, model: str) -> None:
        self.model = model
        self._transport = transport
        self._turn = Turn("")
        self._items: list[Item] = []  # all that was said, up to what Google was last told
        self._unsigned = False  # Google refused a signature: calls without one say so
        self._refused: set[bytes] = set()

    async def start_processing(self, turn: Turn) -> AsyncGenerator[Event]:
        """See `AssistantProxy`."""
        self._turn = msgspec.structs.replace(turn, model=turn.model or self.model)
        yield Started(self.provider, self._turn.model)
        self._begin(turn)
        async with contextlib.aclosing(self._ask([*self._accepted(turn.history), UserSaid(turn.text)])) as events:
            async for event in events:
                yield event

    async def submit_tool_outputs(self, results: Sequence[ToolResult]) -> AsyncGenerator[Event]:
        """See `AssistantProxy`."""
        yield ToolOutputsSubmitted()
        async with contextlib.aclosing(self._ask([*self._items, ToolOutputs(tuple(results))])) as events:
            async for event in events:
                yield event

    def _begin(self, turn: Turn) -> None:
        """A new exchange opens."""

    def _request(self, items: list[Item]) -> AsyncGenerator[Event]:
        raise NotImplementedError

    async def _ask(self, items: list[Item]) -> AsyncGenerator[Event]:
        spoken, way = False, None
        try:
            async with contextlib.aclosing(self._heard(self._request(items), items)) as events:
                async for event in events:
                    spoken = spoken or isinstance(event, ChunkReceived | Reasoning)
                    yield event
        except AssistantError as error:
            way = None if spoken else self._other_way(error, items)
            if way is None:
                raise
        if way is not None:
            notice, items = way
            yield Notice(notice)
            async with contextlib.aclosing(self._ask(items)) as events:
                async for event in events:
                    yield event

    async def _heard(self, replies: AsyncGenerator[Event], items: list[Item]) -> AsyncGenerator[Event]:
        async with contextlib.aclosing(replies) as events:
            async for event in events:
                if isinstance(event, ActionRequired):
                    # Only now: a request that failed is made again from where it began.
                    self._items = [*items, AssistantSaid(event.text, event.calls, event.raw)]
                yield event

    def _other_way(self, error: AssistantError, items: list[Item]) -> tuple[str, list[Item]] | None:
        """What to tell the person and send instead, when Google refused what we said for it; None: nothing helps."""
        raws = {_key(item.raw) for item in items if isinstance(item, AssistantSaid) and item.raw is not None}
        if not SIGNATURE.search(str(error)) or (self._unsigned and not raws):
            return None
        self._unsigned = True
        self._refused |= raws
        return "Google refused the thought signatures of this conversation: it goes on without them.", self._accepted(
            items
        )

    def _accepted(self, items: Iterable[Item]) -> list[Item]:
        """The items, without what Google refused to take back."""
        return [
            msgspec.structs.replace(item, raw=None)
            if isinstance(item, AssistantSaid)
            and item.raw is not None
            and self._refused
            and _key(item.raw) in self._refused
            else item
            for item in items
        ]

    async def aclose(self) -> None:
        """Close the transport."""
        await self._transport.aclose()


def _key(raw: Any) -> bytes:
    return msgspec.json.encode(raw)
