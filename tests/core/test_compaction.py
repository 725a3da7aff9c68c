"""Compaction: the assistant is sent a summary in place of what it stands for, whatever came before."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asstproxy.core.codec import decode, encode
from asstproxy.core.compaction import compact
from asstproxy.core.errors import AssistantError, UsageError
from asstproxy.core.events import (
    AssistantMessageRetrieved,
    Cancelled,
    ChunkReceived,
    Event,
    HistoryCompacted,
    HistoryCut,
    MessageIncomplete,
    Record,
    SetUserMessage,
)
from asstproxy.core.history import SUMMARY_REQUEST, AssistantMessage, History, Item, UserMessage
from asstproxy.core.mediator import MediatorBasic, conform
from asstproxy.core.script import State
from asstproxy.providers.scripted import Part, say

from .stage import Stage
from .strategies import SPEAKERS, clean_text, events, exchanges

sessions = st.lists(exchanges(), max_size=4)


def sent(*parts: Sequence[Event], speaker: tuple[str, str] = SPEAKERS[0]) -> tuple[Item, ...]:
    history = History()
    for event in chain(*parts):
        history.feed(event)
    return history.items(*speaker)


def summary_of(text: str) -> tuple[Item, ...]:
    return UserMessage(SUMMARY_REQUEST), AssistantMessage(text)


@settings(max_examples=100)
@given(
    before=st.lists(events(), max_size=8) | sessions.map(lambda session: list(chain(*session))),
    summary=clean_text,
    later=sessions,
    speaker=st.sampled_from(SPEAKERS),
)
def test_after_compaction_it_is_the_summary_and_what_follows(
    before: Sequence[Event], summary: str, later: list[Sequence[Event]], speaker: tuple[str, str]
) -> None:
    """Whatever records came before, in whatever order: the summary, then what followed it, and no token of the provider."""
    note = [HistoryCompacted(summary, 3)]
    following = list(chain(*later))
    assert sent(before, note, following, speaker=speaker) == summary_of(summary) + sent(following, speaker=speaker)
    history = History()
    for event in (*before, *note):
        history.feed(event)
    assert [history.resume(name) for name, _ in SPEAKERS] == [None] * len(SPEAKERS)


@settings(max_examples=50)
@given(session=sessions, summary=clean_text)
def test_it_is_read_back_as_it_was_written(session: list[Sequence[Event]], summary: str) -> None:
    """A summary from the journal is the one that was in memory."""
    events = [*chain(*session), HistoryCompacted(summary, len(session))]
    lines = [encode(Record(1, "now", State.NEW, event)) for event in events]
    again = [event for event in (decode(line).event for line in lines) if isinstance(event, Event)]
    assert sent(again) == sent(events)


@settings(max_examples=50)
@given(kept=st.lists(exchanges(), min_size=1, max_size=3), later=sessions, summary=clean_text)
def test_the_last_exchanges_stay_as_they_are(
    kept: list[Sequence[Event]], later: list[Sequence[Event]], summary: str
) -> None:
    """The summary, the exchanges that it keeps, and what follows: in the session and in a copy of what was saved."""
    asked = [SetUserMessage(SUMMARY_REQUEST, compacts=True), AssistantMessageRetrieved(summary)]
    old = [SetUserMessage("old"), AssistantMessageRetrieved("long ago")]
    note = [HistoryCompacted(summary, 1, len(kept))]
    everything = [*old, *chain(*kept), *asked, *note, *chain(*later)]
    following = sent(*kept, *later)
    assert sent(everything) == summary_of(summary) + following
    again = [decode(encode(Record(1, "now", State.NEW, event))).event for event in everything]
    assert sent([event for event in again if isinstance(event, Event)]) == summary_of(summary) + following


async def test_the_last_two_turns_are_not_summed_up() -> None:
    """The assistant is sent only what is old, and then the summary with the last two turns; a turn that fills the context goes."""
    stage = Stage(*(say(letter) for letter in "abcd"), say("They said a and b."), say("e"), say("f"), say("All."))
    for number in "1234":
        await stage.conversation.exchange(number)
    await compact(stage.conversation)
    assert stage.events[-1] == HistoryCompacted("They said a and b.", 2, 2)
    assert [item.text for item in stage.script.turns[-1].history if isinstance(item, UserMessage)] == ["1", "2"]
    with pytest.raises(UsageError, match="the summary, and the last 2 turns"):
        await compact(stage.conversation)
    await stage.conversation.exchange("5" * 10_000)
    sent_now = [item.text[:1] for item in stage.script.turns[-1].history if isinstance(item, UserMessage)]
    assert sent_now == [SUMMARY_REQUEST[:1], "3", "4"]
    await stage.conversation.exchange("6")
    await compact(stage.conversation)
    assert stage.events[-1] == HistoryCompacted("All.", 4, 1)
    stage.assert_conforms()


async def test_the_assistant_sums_up_and_is_sent_the_summary() -> None:
    """An exchange of its own: it is sent everything once more, and from then on the summary and what follows."""
    stage = Stage(say("a"), say("b"), say("They said a and b."), say("c"), say("d"))
    await stage.conversation.exchange("one")
    await stage.conversation.exchange("two, which is longer than all before it")
    await compact(stage.conversation)
    assert stage.published(SetUserMessage)[-1] == SetUserMessage(SUMMARY_REQUEST, compacts=True)
    assert stage.events[-1] == HistoryCompacted("They said a and b.", 2)
    assert stage.script.turns[-1].text == SUMMARY_REQUEST
    assert len(stage.script.turns[-1].history) == 4
    await stage.conversation.exchange("three")
    await stage.conversation.exchange("four")
    assert stage.script.turns[-1].history == (
        *summary_of("They said a and b."),
        UserMessage("three"),
        AssistantMessage("c"),
    )
    stage.assert_conforms()
    again = Stage(say("e"), past=[decode(encode(record)) for record in stage.records])
    await again.conversation.exchange("five")
    assert again.script.turns[-1].history[:2] == summary_of("They said a and b.")


@pytest.mark.parametrize(
    "reply",
    [
        [AssistantError("connection", "no network")],
        [ChunkReceived("half"), MessageIncomplete("half", "max_output_tokens")],
        say(" "),
    ],
    ids=["failed", "cut short", "empty"],
)
async def test_a_summary_that_did_not_come_changes_nothing(reply: list[Part]) -> None:
    """The history is as before, and the next message is answered from it."""
    stage = Stage(say("a"), reply, say("b"))
    await stage.conversation.exchange("one")
    await compact(stage.conversation)
    assert stage.published(HistoryCompacted) == []
    await stage.conversation.exchange("two")
    assert stage.script.turns[-1].history == (UserMessage("one"), AssistantMessage("a"))
    stage.assert_conforms()


async def test_a_summary_that_is_stopped_changes_nothing() -> None:
    """Stopping it cancels the exchange, and what had arrived of the summary isn't sent."""
    stage = Stage(say("a"), [ChunkReceived("half"), 30.0], say("b"))
    await stage.conversation.exchange("one")
    task = asyncio.create_task(compact(stage.conversation))
    while not stage.published(ChunkReceived)[1:]:  # noqa: ASYNC110 - a step of the loop at a time
        await asyncio.sleep(0)
    stage.conversation.cancel(Cancelled("user"))
    with pytest.raises(asyncio.CancelledError):
        await task
    assert stage.events[-1] == HistoryCut(1)
    await stage.conversation.exchange("two")
    assert stage.script.turns[-1].history == (UserMessage("one"), AssistantMessage("a"))


async def test_nothing_is_compacted_twice() -> None:
    """Neither an empty history nor a summary alone is summed up."""
    stage = Stage(say("a"), say("sum"))
    with pytest.raises(UsageError, match="sees no turn"):
        await compact(stage.conversation)
    await stage.conversation.exchange("one")
    await compact(stage.conversation)
    with pytest.raises(UsageError, match="summary alone"):
        await compact(stage.conversation)
    assert len(stage.script.turns) == 2


def test_check_compares_the_summary_with_the_answer() -> None:
    """`replay --check` finds a summary that the assistant did not write, and one that stands for more or less than it says."""
    records = [
        Record(1, "", State.READY, SetUserMessage("hi")),
        Record(2, "", State.COMPLETED, AssistantMessageRetrieved("hello")),
        Record(3, "", State.READY, SetUserMessage(SUMMARY_REQUEST, compacts=True)),
        Record(4, "", State.COMPLETED, AssistantMessageRetrieved("all of it")),
    ]

    def found(event: Event) -> list[str]:
        return list(conform([*records, Record(5, "", State.COMPLETED, event)], MediatorBasic()))

    assert found(HistoryCompacted("all of it", 1)) == []
    assert found(HistoryCompacted("something else", 1)) == [
        "#5 history_compacted: the summary isn't the answer before it"
    ]
    assert found(HistoryCompacted("all of it", 1, 1)) == ["#5 history_compacted: 1 summed up and 1 kept, of 1 turns"]
