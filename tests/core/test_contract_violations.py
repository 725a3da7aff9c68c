"""What an Assistant Proxy may not say, and what becomes of an exchange when it does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from asstproxy.core.codec import decode, encode
from asstproxy.core.events import (
    ActionRequired,
    AssistantMessageRetrieved,
    Cancelled,
    ChunkReceived,
    Configured,
    ErrorOccurred,
    Event,
    Heartbeat,
    HistoryCompacted,
    HistoryCut,
    MessageIncomplete,
    Notice,
    RetryScheduled,
    SessionOpened,
    SetUserMessage,
    Started,
    Titled,
    ToolCall,
    ToolFinished,
    ToolOutputsSubmitted,
    ToolResult,
    ToolsExecuted,
    Unknown,
    Usage,
)
from asstproxy.core.script import State
from asstproxy.core.turn import Turn

from .stage import Stage


class Verbatim:
    """Says exactly what it is given, whatever that is."""

    provider, model = "verbatim", "m"

    def __init__(self, *parts: Any) -> None:
        self.parts = parts
        self.closed = 0

    async def start_processing(self, turn: Turn) -> AsyncIterator[Event]:
        try:
            for part in self.parts:
                yield part
                await asyncio.sleep(0)
        finally:
            self.closed += 1

    def submit_tool_outputs(self, results: Sequence[ToolResult]) -> AsyncIterator[Event]:
        return self.start_processing(Turn(""))

    async def aclose(self) -> None:
        pass


OPENED, ANSWER = Started("verbatim"), AssistantMessageRetrieved("hello")
both = pytest.mark.parametrize("mediator", ["state-machine", "basic"])


async def outcome(*parts: Any, mediator: str = "state-machine") -> ErrorOccurred:
    """The error that this assistant's words end in."""
    assistant = Verbatim(*parts)
    stage = Stage(assistant=assistant, mediator=mediator)
    last = await stage.conversation.exchange("hi")
    assert isinstance(last.event, ErrorOccurred), last
    assert assistant.closed == 1
    assert [decode(encode(record)) for record in stage.records] == stage.records
    return last.event


@both
@pytest.mark.parametrize(
    "note",
    [
        HistoryCut(0),
        HistoryCompacted("Forget it.", 1),
        Configured("other"),
        Titled("Mine"),
        SessionOpened("01K"),
        ToolFinished(ToolResult("c", "done"), 0.1),
        RetryScheduled(1, 1.0, "server", "busy", 4),
    ],
    ids=lambda note: note.type,
)
async def test_an_assistant_cannot_speak_for_the_conversation(note: Event, mediator: str) -> None:
    """Notes on history, title, profile, tools and retries are the conversation's own: no provider writes such a record."""
    error = await outcome(OPENED, note, ANSWER, mediator=mediator)
    assert (error.kind, error.message) == (
        "protocol",
        f"The provider yielded '{note.type}', which an Assistant Proxy may not send.",
    )


NOT_THEIRS: list[Any] = [
    SetUserMessage("me"),
    ToolsExecuted(()),
    Cancelled(),
    ErrorOccurred("server", "no"),
    None,
    "text",
    {},
    7,
]


@both
@pytest.mark.parametrize("word", [*NOT_THEIRS, Unknown({"type": "started"})], ids=repr)
async def test_what_an_assistant_never_says(word: Any, mediator: str) -> None:
    """A message of somebody else's, or no event at all, is an error that names it; it is not published."""
    error = await outcome(OPENED, word, ANSWER, mediator=mediator)
    assert error.kind == "protocol"
    assert f"'{word.type if isinstance(word, Event) else type(word).__name__}'" in error.message


@pytest.mark.parametrize(
    "words",
    [
        (ANSWER,),
        (ChunkReceived("he"), ANSWER),
        (Heartbeat(), OPENED, ANSWER),
        (ToolOutputsSubmitted(), ANSWER),
        (OPENED, OPENED, ANSWER),
        (OPENED, ChunkReceived("he"), OPENED, ANSWER),
    ],
    ids=repr,
)
async def test_the_opening_message_comes_first_and_once(words: tuple[Event, ...]) -> None:
    """The strict mediator refuses what comes before it, and a second one."""
    error = await outcome(*words)
    assert error.kind == "protocol"
    assert "is not expected in state" in error.message


@both
@pytest.mark.parametrize("words", [(), (OPENED,), (OPENED, ChunkReceived("he")), (OPENED, Notice("bye"))], ids=repr)
async def test_falling_silent_is_an_error(words: tuple[Event, ...], mediator: str) -> None:
    """An iterator that ends without a closing message has broken off."""
    error = await outcome(*words, mediator=mediator)
    assert (error.kind, error.message) == ("protocol", "The assistant stopped before its answer was complete.")


MALFORMED: list[Any] = [
    ChunkReceived(None),  # type: ignore[arg-type]
    ChunkReceived("a", "shouting"),  # type: ignore[arg-type]
    Usage("many"),  # type: ignore[arg-type]
    Heartbeat(7),  # type: ignore[arg-type]
    AssistantMessageRetrieved(b"bytes\xff"),  # type: ignore[arg-type]
    AssistantMessageRetrieved("a", raw=object()),
    MessageIncomplete("a", "expired", resume={"id": [object()]}),
    ActionRequired("add"),  # type: ignore[arg-type]
    ActionRequired((ToolCall("c", "add", {}),)),  # type: ignore[arg-type]
    ActionRequired((ToolCall(None, "add", "{}"),)),  # type: ignore[arg-type]
]


@both
@pytest.mark.parametrize("word", MALFORMED, ids=lambda word: str(word.type))  # a repr would hold an address
async def test_a_malformed_event_is_not_published(word: Event, mediator: str) -> None:
    """A record that cannot be written, or read back, would damage the journal: the proxy is told what is wrong."""
    error = await outcome(OPENED, word, ANSWER, mediator=mediator)
    assert error.kind == "protocol"
    assert f"'{word.type}'" in error.message


@both
async def test_what_follows_the_closing_message_is_not_heard(mediator: str) -> None:
    """The turn is over; the iterator is closed, and not read on."""
    assistant = Verbatim(OPENED, ANSWER, ChunkReceived("p.s."), ANSWER)
    stage = Stage(assistant=assistant, mediator=mediator)
    assert (await stage.conversation.exchange("hi")).event == ANSWER
    assert stage.events[-1] == ANSWER
    assert assistant.closed == 1


async def test_a_plain_iterator_will_do() -> None:
    """`aclose` is the habit of generators; an iterator that has none is read all the same."""

    class Plain(Verbatim):
        def start_processing(self, turn: Turn) -> AsyncIterator[Event]:
            return Counted(iter(self.parts))

    class Counted:
        def __init__(self, parts: Any) -> None:
            self.parts = parts

        def __aiter__(self) -> Counted:
            return self

        async def __anext__(self) -> Event:
            event: Event = next(self.parts)
            return event

    stage = Stage(assistant=Plain(OPENED, ANSWER))
    assert (await stage.conversation.exchange("hi")).state is State.COMPLETED
