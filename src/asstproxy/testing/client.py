"""A client of one proxy, without mediator and driver. It checks every event against the contract."""

# ruff: noqa: S101 - these are tests

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

import msgspec

from ..core.attachment import AttachedFile
from ..core.codec import decode, encode
from ..core.conversation import Conversation
from ..core.events import Record, SetUserMessage, ToolsExecuted, is_message
from ..core.history import History
from ..core.memory_files import MemoryFiles
from ..core.script import State
from ..core.turn import Options
from ..provider import (
    ActionRequired,
    AssistantError,
    AssistantMessageRetrieved,
    AssistantProxy,
    ChunkReceived,
    Event,
    Heartbeat,
    MessageIncomplete,
    Started,
    ToolCall,
    ToolOutputsSubmitted,
    ToolResult,
    ToolSpec,
    Turn,
)

__all__ = ["ADD", "ProviderClient", "history_of_other_provider", "read", "recorded"]

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


class ProviderClient:
    """Makes requests to a proxy and keeps the history as a conversation does.

    `events` are those of the latest request. `instructions`, `settings`, `model`, `tools` and `schema` go into the turns; `model`
    is the proxy's unless another is given. `secret` must not occur in any event.
    """

    def __init__(
        self,
        proxy: AssistantProxy,
        options: Options,
        history: History | None = None,
        *,
        instructions: str = "Be brief.",
        settings: Mapping[str, Any] | None = None,
        model: str | None = None,
        tools: Sequence[ToolSpec] = (ADD,),
        schema: Mapping[str, Any] | None = None,
        secret: str = "",
    ) -> None:
        self.proxy, self.options, self.secret = proxy, options, secret
        self.instructions, self.settings, self.tools = instructions, settings or {}, tools
        self.schema = dict(schema) if schema is not None else None
        self.model = proxy.model if model is None else model
        self.files = MemoryFiles()
        self.history = history or History(self.files)
        self.events: list[Event] = []
        self._opening: type[Event] = Started
        self._request: Callable[[], AsyncIterator[Event]] = lambda: proxy.start_processing(self.turn(""))

    def turn(self, text: str, *files: AttachedFile) -> Turn:
        """What the proxy gets for this message."""
        for file in files:
            self.files.keep(file)
        return Turn(
            text=text,
            attachments=tuple(file.attachment for file in files),
            files=self.files,
            history=self.history.items(self.proxy.provider, self.model or self.proxy.model),
            instructions=self.instructions,
            model=self.model,
            tools=tuple(self.tools),
            settings=dict(self.settings),
            resume=self.history.resume(self.proxy.provider),
            stream=self.options.stream,
            background=self.options.background,
            schema=self.schema,
        )

    def remember(self, text: str, file: AttachedFile, answer: str) -> None:
        """Let the history have an exchange with a file, held with another provider."""
        self.files.keep(file)
        events = (
            SetUserMessage(text, (file.attachment,)),
            Started("elsewhere", "m"),
            AssistantMessageRetrieved(answer),
        )
        for event in events:
            self.history.feed(event)

    async def send(self, text: str, *files: AttachedFile) -> Event:
        """Open an exchange; the closing event."""
        turn = self.turn(text, *files)
        self.history.feed(SetUserMessage(text, turn.attachments))
        self._request, self._opening = lambda: self.proxy.start_processing(turn), Started
        return await self.repeat()

    async def submit(self, results: Sequence[ToolResult]) -> Event:
        """Send the results of the calls; the closing event."""
        self.history.feed(ToolsExecuted(tuple(results)))
        self._request, self._opening = lambda: self.proxy.submit_tool_outputs(results), ToolOutputsSubmitted
        return await self.repeat()

    async def repeat(self) -> Event:
        """Make the latest request again, with the same arguments, as asst does after a failure; the closing event."""
        self.events = []
        try:
            async for event in self._request():
                self.events.append(event)
                self.history.feed(event)
        except BaseException:
            self._check(complete=False)
            raise
        self._check(complete=True)
        return self.events[-1]

    async def expect_answer(self, text: str, *files: AttachedFile) -> str:
        """Open an exchange that must end with an answer; the answer."""
        closing = await self.send(text, *files)
        assert isinstance(closing, AssistantMessageRetrieved), f"Expected a complete answer, got {closing}"
        return closing.text

    async def expect_calls(self, text: str) -> tuple[ToolCall, ...]:
        """Open an exchange that must end with tool calls; the calls."""
        closing = await self.send(text)
        assert isinstance(closing, ActionRequired), f"Expected tool calls, got {closing}"
        return closing.calls

    async def expect_failure(self, request: Callable[[], Any] | None = None) -> AssistantError:
        """Make a request (open an exchange if none is given) that must fail; its error."""
        try:
            closing = await (request() if request else self.send("hi"))
        except AssistantError as error:
            self._check_words(str(error), error.hint)
            return error
        raise AssertionError(f"The request must fail with an AssistantError, but ended with {closing}")

    @property
    def text_received(self) -> str:
        """The pieces of the answer, joined."""
        return "".join(e.text for e in self.events if isinstance(e, ChunkReceived) and e.phase == "answer")

    def _check(self, *, complete: bool) -> None:
        """First the opening event, last the closing one if the request succeeded, in between only what may come there."""
        assert self.events, "The request published no event: the opening event comes even before a failure."
        first, *others = self.events
        assert isinstance(first, self._opening), f"The opening event must come first, not {first}"
        if isinstance(first, Started):
            wanted = (self.proxy.provider, self.model or self.proxy.model)
            assert (first.provider, first.model) == wanted, f"Started must name {wanted}, not {first}"
        for event in self.events:
            assert survives_journal(event), f"{event} does not come back unchanged from a journal."
            self._check_words(msgspec.json.encode(event).decode())
        if complete:
            last = self.events[-1]
            assert isinstance(last, CLOSING), f"The closing event must come last, not {last}"
            pieces, others = self.text_received, others[:-1]
            assert pieces in ("", last.text), f"The pieces {pieces!r} do not add up to the text {last.text!r}."
        for event in others:
            allowed = isinstance(event, Heartbeat | ChunkReceived) or not is_message(event)
            assert allowed, f"This event must not come between the opening and the closing one: {event}"

    def _check_words(self, *words: str) -> None:
        for text in words:
            assert not self.secret or self.secret not in text, f"The key must not occur in {text!r}"


async def read(proxy: AssistantProxy, turn: Turn, *, cancel_after: int = -1) -> None:
    """Read a reply in the current task, which cancels itself after that many events."""
    count = 0
    async with contextlib.aclosing(proxy.start_processing(turn)) as events:  # type: ignore[type-var]
        async for _ in events:
            count += 1
            if count == cancel_after and (task := asyncio.current_task()):
                task.cancel()
    await asyncio.sleep(0)  # the cancellation reaches a proxy that never awaits here


def recorded(conversation: Conversation) -> list[Record]:
    """All records of a conversation from now on."""
    records: list[Record] = []
    conversation.subscribe(records.append)
    return records


def history_of_other_provider() -> History:
    """An exchange with a tool round, held with another provider."""
    history = History()
    call = ToolCall("call_elsewhere", "add", '{"a": 5, "b": 5}')
    opaque = [{"opaque": "only the other provider understands this"}]
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


def survives_journal(event: Event) -> bool:
    """Whether the event comes back unchanged from a journal; `raw` and `resume` must be JSON for that."""
    try:
        again = decode(encode(Record(1, "", State.NEW, event))).event
    except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError):
        return False
    return type(again) is type(event) and msgspec.to_builtins(again) == msgspec.to_builtins(event)
