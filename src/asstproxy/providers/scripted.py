"""An assistant that plays a given list of events: for tests, examples and integrations without a network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from contextlib import aclosing

from ..core.errors import AssistantError
from ..core.events import AssistantMessageRetrieved, ChunkReceived, Event, Started, ToolOutputsSubmitted, ToolResult
from ..core.turn import Turn

__all__ = ["ScriptedAssistant", "say"]

Part = Event | BaseException | float
"""An event to say, an exception to raise, or seconds to be silent."""


def say(text: str, *, pieces: int = 1) -> list[Part]:
    """The parts of a plain answer, streamed in a number of pieces."""
    size = max(1, -(-len(text) // pieces))
    return [*(ChunkReceived(text[i : i + size]) for i in range(0, len(text), size)), AssistantMessageRetrieved(text)]


class ScriptedAssistant:
    """Plays one reply after another: each ends with the message that ends an assistant's turn.

    The opening message is said by itself unless a reply starts with one. `turns` and `results` keep what it was given.
    """

    provider = "scripted"

    def __init__(self, *replies: Iterable[Part], model: str = "script") -> None:
        self.model = model
        self.turns: list[Turn] = []
        self.results: list[tuple[ToolResult, ...]] = []
        self.give(*replies)

    def give(self, *replies: Iterable[Part]) -> None:
        """Play these from now on, instead of what is left."""
        self._replies = [list(reply) for reply in replies]

    async def start_processing(self, turn: Turn) -> AsyncIterator[Event]:
        """Play the next reply.

        Raises:
            AssistantError: there is no reply left, or the script says so.
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
            raise AssistantError("protocol", "The script of this assistant is at its end.", "Give it more replies.")
        for part in self._replies.pop(0):
            if isinstance(part, BaseException):
                raise part
            if isinstance(part, Event):
                yield part
            else:
                await asyncio.sleep(part)

    @property
    def left(self) -> list[list[Part]]:
        """The replies that were not asked for yet."""
        return [list(reply) for reply in self._replies]

    def assert_consumed(self) -> None:
        """Fail when replies are left over.

        Raises:
            AssertionError: the conversation ended earlier than the script.
        """
        assert not self._replies, f"{len(self._replies)} replies of the script were not asked for"  # noqa: S101

    async def aclose(self) -> None:
        """Nothing is held."""
