"""An assistant that plays given events: for tests, examples and integrations without a network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from contextlib import aclosing

from ..core.errors import AssistantError
from ..core.events import AssistantMessageRetrieved, ChunkReceived, Event, Started, ToolOutputsSubmitted, ToolResult
from ..core.turn import Turn

__all__ = ["ScriptedProvider", "say"]

Part = Event | BaseException | float
"""An event to yield, an exception to raise, or seconds of silence."""


def say(text: str, *, pieces: int = 1) -> list[Part]:
    """The parts of a plain answer, streamed in this number of pieces."""
    size = max(1, -(-len(text) // pieces))
    return [*(ChunkReceived(text[i : i + size]) for i in range(0, len(text), size)), AssistantMessageRetrieved(text)]


class ScriptedProvider:
    """Plays one reply after the other. Each ends with the message that closes an assistant's turn; the opening one is added.

    `turns` and `results` are what it was given.
    """

    provider = "scripted"

    def __init__(self, *replies: Iterable[Part], model: str = "script") -> None:
        self.model = model
        self.turns: list[Turn] = []
        self.results: list[tuple[ToolResult, ...]] = []
        self.give(*replies)

    def give(self, *replies: Iterable[Part]) -> None:
        """Play these replies from now on, instead of the rest."""
        self._replies = [list(reply) for reply in replies]

    async def start_processing(self, turn: Turn) -> AsyncIterator[Event]:
        """Play the next reply.

        Raises:
            AssistantError: the script is at its end, or raises this error.
        """
        self.turns.append(turn)
        yield Started(self.provider, turn.model or self.model)
        async with aclosing(self._play()) as events:
            async for event in events:
                yield event

    async def submit_tool_outputs(self, results: Sequence[ToolResult]) -> AsyncIterator[Event]:
        """Play the next reply to these results."""
        self.results.append(tuple(results))
        yield ToolOutputsSubmitted()
        async with aclosing(self._play()) as events:
            async for event in events:
                yield event

    async def _play(self) -> AsyncGenerator[Event]:
        if not self._replies:
            raise AssistantError("protocol", "The script of this assistant has no reply left.", "Give it more replies.")
        for part in self._replies.pop(0):
            if isinstance(part, BaseException):
                raise part
            if isinstance(part, Event):
                yield part
            else:
                await asyncio.sleep(part)

    @property
    def left(self) -> list[list[Part]]:
        """The replies that have not been played."""
        return [list(reply) for reply in self._replies]

    def assert_consumed(self) -> None:
        """Check that all replies were played.

        Raises:
            AssertionError: the conversation ended before the script did.
        """
        assert not self._replies, f"{len(self._replies)} replies of the script were not played"  # noqa: S101

    async def aclose(self) -> None:
        """Nothing to close."""
