"""A talk with a proxy alone, without mediator and driver; everything that it says is held against its contract."""

# ruff: noqa: S101 - these are tests

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

import msgspec

from ..core.codec import decode, encode
from ..core.conversation import Conversation
from ..core.errors import AssistantError
from ..core.events import (
    ActionRequired,
    AssistantMessageRetrieved,
    ChunkReceived,
    Event,
    Heartbeat,
    MessageIncomplete,
    Record,
    SetUserMessage,
    Started,
    ToolCall,
    ToolOutputsSubmitted,
    ToolResult,
    ToolsExecuted,
    is_message,
)
from ..core.history import History
from ..core.roles import AssistantProxy
from ..core.script import State
from ..core.turn import Options, ToolSpec, Turn

__all__ = ["ADD", "Talk", "elsewhere", "failure", "kept", "read"]

ADD = ToolSpec(
    "add",
    "Add two numbers.",
    {
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
        "required": ["a", "b"],
        "additionalProperties": False,
    },
)
CLOSING = (ActionRequired, AssistantMessageRetrieved, MessageIncomplete)


class Talk:
    """Asks one proxy, and keeps the history as a conversation would. `said` is the latest reply, event by event."""

    def __init__(self, proxy: AssistantProxy, options: Options, history: History | None = None) -> None:
        self.proxy, self.options = proxy, options
        self.history = history or History()
        self.said: list[Event] = []

    def turn(self, text: str) -> Turn:
        """What the proxy is given for this message."""
        return Turn(
            text=text,
            history=self.history.items(self.proxy.provider, self.proxy.model),
            instructions="Be brief.",
            model=self.proxy.model,
            tools=(ADD,),
            resume=self.history.resume(self.proxy.provider),
            stream=self.options.stream,
            background=self.options.background,
        )

    async def ask(self, text: str) -> Event:
        """Open an exchange; the message that ends the assistant's turn."""
        turn = self.turn(text)
        self.history.feed(SetUserMessage(text))
        return await self._listen(self.proxy.start_processing(turn), Started)

    async def submit(self, results: Sequence[ToolResult]) -> Event:
        """Give the results of the calls; the message that ends the assistant's turn."""
        self.history.feed(ToolsExecuted(tuple(results)))
        return await self._listen(self.proxy.submit_tool_outputs(results), ToolOutputsSubmitted)

    async def answer(self, text: str) -> str:
        """Open an exchange that is answered at once; the answer."""
        closing = await self.ask(text)
        assert isinstance(closing, AssistantMessageRetrieved), closing
        return closing.text

    async def call(self, text: str) -> ActionRequired:
        """Open an exchange in which the assistant wants tools."""
        closing = await self.ask(text)
        assert isinstance(closing, ActionRequired), closing
        return closing

    async def _listen(self, events: AsyncIterator[Event], opening: type[Event]) -> Event:
        self.said = []
        async for event in events:
            self.said.append(event)
            self.history.feed(event)
        self._check(opening)
        return self.said[-1]

    def _check(self, opening: type[Event]) -> None:
        """First the opening message; last the one that closes the turn; in between only what an assistant may say."""
        first, *middle, last = self.said
        assert isinstance(first, opening), f"the first message is {first}"
        if isinstance(first, Started):
            assert first.provider == self.proxy.provider
        assert isinstance(last, CLOSING), f"the last message is {last}"
        for event in middle:
            assert isinstance(event, Heartbeat | ChunkReceived) or not is_message(event), (
                f"{event} is said in the middle"
            )
        for event in self.said:
            assert survives(event), f"{event} does not come back from a journal as it was"
        answer = "".join(e.text for e in middle if isinstance(e, ChunkReceived) and e.phase == "answer")
        assert answer in ("", last.text), "the pieces are not the answer"


async def read(proxy: AssistantProxy, talk: Talk, cancel_after: int = -1) -> None:
    """Read a reply in the current task, which cancels itself after that many messages."""
    count = 0
    async with contextlib.aclosing(proxy.start_processing(talk.turn("hi"))) as events:  # type: ignore[type-var]
        async for _ in events:
            count += 1
            if count == cancel_after and (task := asyncio.current_task()):
                task.cancel()
    await asyncio.sleep(0)  # where a proxy that never waits learns of it


async def failure(talk: Talk) -> AssistantError:
    """The error that the next reply ends in."""
    try:
        closing = await talk.ask("hi")
    except AssistantError as error:
        return error
    raise AssertionError(f"the request should have failed, and said {closing}")


def kept(conversation: Conversation) -> list[Record]:
    """All records of a conversation from now on."""
    records: list[Record] = []
    conversation.subscribe(records.append)
    return records


def elsewhere() -> History:
    """An exchange with a tool round, held with another provider."""
    history = History()
    call = ToolCall("call_elsewhere", "add", '{"a": 5, "b": 5}')
    opaque = [{"opaque": "only he understands this"}]
    for event in (
        SetUserMessage("what is 5 + 5?"),
        Started("elsewhere", "m"),
        ActionRequired((call,), raw=opaque),
        ToolsExecuted((ToolResult(call.call_id, "sum 10"),)),
        ToolOutputsSubmitted(),
        AssistantMessageRetrieved("it is ten", opaque, {"opaque": 1}),
    ):
        history.feed(event)
    return history


def survives(event: Event) -> bool:
    """Whether the event comes back from a journal as it was; `raw` and `resume` must be JSON for that."""
    again = decode(encode(Record(1, "", State.NEW, event))).event
    return type(again) is type(event) and msgspec.to_builtins(again) == msgspec.to_builtins(event)
