"""Exchanges: what is said in which order, who hears it, and what the next exchange builds on."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime, timedelta

import pytest

from asstproxy.core.codec import decode, encode
from asstproxy.core.errors import AssistantError, UsageError
from asstproxy.core.events import (
    AssistantMessageRetrieved,
    Cancelled,
    ChunkReceived,
    Configured,
    ErrorOccurred,
    HistoryCut,
    MessageIncomplete,
    Notice,
    Usage,
)
from asstproxy.core.history import AssistantMessage, UserMessage
from asstproxy.core.script import State
from asstproxy.providers.scripted import Part, ScriptedProvider, say

from .stage import Stage, calling, types

both = pytest.mark.parametrize("mediator", ["state-machine", "basic"])
FAILING = AssistantError("server", "The provider failed.", "Try again.")


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@both
async def test_an_exchange(mediator: str) -> None:
    """From the message to the whole answer, every step is published with the state that it led to."""
    stage = Stage([*say("hello", pieces=2)[:2], Usage(3, 4), AssistantMessageRetrieved("hello")], mediator=mediator)
    last = await stage.conversation.exchange("hi")
    assert [(record.state.value, record.event.type) for record in stage.records] == [
        ("new", "configured"),
        ("ready", "set_user_message"),
        ("started", "started"),
        ("streaming", "chunk_received"),
        ("streaming", "chunk_received"),
        ("streaming", "usage"),
        ("completed", "assistant_message_retrieved"),
    ]
    assert stage.records[-1] is last
    assert last.event == stage.user.answer == AssistantMessageRetrieved("hello")
    assert stage.conversation.state is State.COMPLETED
    stage.assert_conforms()
    stage.script.assert_consumed()


async def test_the_stamp() -> None:
    """Records are numbered from 1 within a session and carry the time: UTC, ISO 8601, milliseconds."""
    stage = Stage(say("a"), say("b"))
    before = datetime.now().astimezone()
    await stage.conversation.exchange("one")
    await stage.conversation.exchange("two")
    assert [record.seq for record in stage.records] == list(range(1, len(stage.records) + 1))
    for record in stage.records:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record.at)
        assert timedelta(milliseconds=-1) <= datetime.fromisoformat(record.at) - before < timedelta(minutes=1)


async def test_the_turn_carries_the_conversation() -> None:
    """The second message travels with the first exchange, in neutral words."""
    stage = Stage(say("hello"), say("fine"))
    await stage.conversation.exchange("hi")
    await stage.conversation.exchange("how are you?")
    first, second = stage.script.turns
    assert (first.text, first.history) == ("hi", ())
    assert (second.text, second.history) == ("how are you?", (UserMessage("hi"), AssistantMessage("hello")))


async def test_the_turn_carries_what_is_configured() -> None:
    """Model, instructions, settings, tools and the way of asking reach the assistant."""
    stage = Stage(say("hello"), tools=[add], stream=False, background=True)
    configured = Configured("p", "scripted", "m", "Be brief.", settings={"temperature": 0})
    stage.conversation.configure(configured)
    await stage.conversation.exchange("hi")
    (turn,) = stage.script.turns
    assert (turn.model, turn.instructions, turn.settings) == ("m", "Be brief.", {"temperature": 0})
    assert [tool.name for tool in turn.tools] == ["add"]
    assert (turn.stream, turn.background) == (False, True)
    assert stage.events[0] == configured


async def test_configured_is_said_when_it_changes() -> None:
    """Before the first message, and again only before an exchange that another assistant answers, or in another way."""
    other = ScriptedProvider(say("c"), model="other")
    stage = Stage(say("a"), say("b"))
    await stage.conversation.exchange("one")
    await stage.conversation.exchange("two")
    stage.conversation.configure(Configured(provider="scripted", model="other"), other)
    await stage.conversation.exchange("three")
    assert [event.model for event in stage.published(Configured)] == ["script", "other"]
    assert len(other.turns[0].history) == 4
    stage.assert_conforms()


ENDS: dict[State, list[list[Part]]] = {
    State.COMPLETED: [say("hello"), [AssistantMessageRetrieved("")]],
    State.INCOMPLETE: [[ChunkReceived("he"), MessageIncomplete("he", "expired")], calling(("add", "{}"))],
    State.CANCELLED: [[60.0], [ChunkReceived("he"), 60.0]],
    State.ERROR: [
        [FAILING],
        [ChunkReceived("he"), FAILING],
        [ChunkReceived("he")],
        [ValueError("oops")],
        [Cancelled()],
    ],
}


@both
@pytest.mark.parametrize(("state", "reply"), [(state, reply) for state, replies in ENDS.items() for reply in replies])
async def test_the_next_exchange_works_after_every_end(state: State, reply: list[Part], mediator: str) -> None:
    """However an exchange ended, the next message is answered."""
    stage = Stage(reply, say("fine"), mediator=mediator, max_tool_rounds=0)
    last = await stage.conversation.exchange("hi", timeout=0.05 if state is State.CANCELLED else None)
    assert (last.state, stage.conversation.state) == (state, state)
    assert (await stage.conversation.exchange("again")).event == AssistantMessageRetrieved("fine")
    stage.assert_conforms()


async def test_a_session_goes_on_from_its_records() -> None:
    """Numbers, state, history and what was configured are taken from the journal; nothing is said twice."""
    old = Stage(say("hello"))
    await old.conversation.exchange("hi")
    past = [decode(encode(record)) for record in old.records]
    new = Stage(say("fine"), past=past)
    assert new.conversation.state is State.COMPLETED
    await new.conversation.exchange("how are you?")
    assert types(new.records)[0] == "set_user_message"
    assert new.records[0].seq == past[-1].seq + 1
    assert new.script.turns[0].history == (UserMessage("hi"), AssistantMessage("hello"))


async def test_history_is_cut_for_the_assistant_only() -> None:
    """A cut is journalled, and the next turn carries only the exchanges that it keeps."""
    stage = Stage(say("a"), say("b"), say("c"))
    await stage.conversation.exchange("one")
    await stage.conversation.exchange("two")
    stage.conversation.cut_history(1)
    assert (stage.events[-1], stage.records[-1].state) == (HistoryCut(1), State.COMPLETED)
    await stage.conversation.exchange("three")
    assert stage.script.turns[-1].history == (UserMessage("one"), AssistantMessage("a"))


async def test_a_note_moves_nothing() -> None:
    """Anybody may have a note published, in any state."""
    stage = Stage()
    record = stage.conversation.publish(Notice("hm"))
    assert (record.state, record.event, stage.records) == (State.NEW, Notice("hm"), [record])


@pytest.mark.parametrize("text", ["", "  \n"])
async def test_an_empty_message_is_wrong_usage(text: str) -> None:
    """It is refused before anything is said, and the conversation can be used."""
    stage = Stage(say("hello"))
    with pytest.raises(UsageError):
        await stage.conversation.exchange(text)
    assert stage.records == []
    assert (await stage.conversation.exchange("hi")).state is State.COMPLETED


async def test_one_exchange_at_a_time() -> None:
    """While one is under way, another message, another assistant and a cut are refused; the first goes on."""
    stage = Stage([0.02, *say("hello")])
    first = asyncio.create_task(stage.conversation.exchange("hi"))
    await asyncio.sleep(0)
    with pytest.raises(UsageError):
        await stage.conversation.exchange("and?")
    with pytest.raises(UsageError):
        stage.conversation.configure(Configured())
    with pytest.raises(UsageError):
        stage.conversation.cut_history(0)
    assert (await first).event == AssistantMessageRetrieved("hello")
    stage.assert_conforms()


async def test_an_error_says_what_the_assistant_said_of_it() -> None:
    """Kind, message and hint of the failure are in the event, and it is not raised."""
    stage = Stage([FAILING])
    assert (await stage.conversation.exchange("hi")).event == ErrorOccurred(
        "server", "The provider failed.", "Try again."
    )


async def test_a_fault_of_ours_is_one_line() -> None:
    """An exception that nobody expected becomes one line of kind `internal`."""
    last = await Stage([ValueError("two\nlines")]).conversation.exchange("hi")
    assert last.event == ErrorOccurred("internal", "ValueError: two lines", "This is a bug in asst or in a provider.")
