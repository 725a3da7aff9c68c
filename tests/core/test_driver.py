"""The driver: heartbeats while an assistant is silent, and another attempt where that can help."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from asstproxy.core.errors import AssistantError
from asstproxy.core.events import (
    AssistantMessageRetrieved,
    Cancelled,
    ChunkReceived,
    ErrorOccurred,
    Event,
    Heartbeat,
    Notice,
    Reasoning,
    RetryScheduled,
    Usage,
)
from asstproxy.core.retry import RetryPolicy
from asstproxy.core.script import State
from asstproxy.core.turn import Turn
from asstproxy.providers.scripted import Part, ScriptedProvider, say

from .stage import Stage, calling, stopped, types
from .test_tool_rounds import add

DOWN = AssistantError("server", "The provider failed.", retryable=True)
FATAL = AssistantError("authentication", "Wrong key.", retryable=False)


def wait_for(seconds: float) -> AssistantError:
    return AssistantError("rate_limit", "Too fast.", retryable=True, retry_after=seconds)


async def test_a_silent_assistant_causes_heartbeats() -> None:
    """While nothing arrives, heartbeats are published at the given interval."""
    stage = Stage([0.25, *say("hello")], heartbeat=0.05)
    await stage.conversation.exchange("hi")
    assert 2 <= len(stage.published(Heartbeat)) <= 5
    assert {record.state for record in stage.records if isinstance(record.event, Heartbeat)} == {State.RUNNING}
    stage.assert_conforms()


async def test_a_talkative_assistant_needs_none() -> None:
    """Whatever it says counts: pieces, notes, its own heartbeats."""
    parts: list[Part] = [
        0.03,
        ChunkReceived("a"),
        0.03,
        Usage(1),
        0.03,
        Heartbeat("queued"),
        0.03,
        Reasoning("so"),
        0.03,
    ]
    stage = Stage([*parts, AssistantMessageRetrieved("a")], heartbeat=0.3)
    await stage.conversation.exchange("hi")
    assert stage.published(Heartbeat) == [Heartbeat("queued")]


async def test_no_heartbeat_comes_before_the_opening_message() -> None:
    """A proxy that is slow to begin gets its heartbeats after its opening message."""

    class Slow(ScriptedProvider):
        async def start_processing(self, turn: Turn) -> AsyncIterator[Event]:
            await asyncio.sleep(0.05)
            async for event in super().start_processing(turn):
                yield event

    stage = Stage(assistant=Slow(say("hello")), heartbeat=0.01)
    await stage.conversation.exchange("hi")
    assert types(stage.records)[1:3] == ["set_user_message", "started"]
    stage.assert_conforms()


async def test_there_are_heartbeats_in_every_round() -> None:
    """Also while an assistant works on tool outputs; not while the tools run."""

    async def nap() -> None:
        await asyncio.sleep(0.05)

    replies: list[list[Part]] = [calling(("nap", "{}")), [0.05, *say("done")]]
    stage = Stage(*replies, tools=[nap], heartbeat=0.02)
    await stage.conversation.exchange("hi")
    after = types(stage.records).index("tool_outputs_submitted")
    assert "heartbeat" in types(stage.records[after:])
    assert "heartbeat" not in types(stage.records[:after])


async def test_a_failed_request_is_sent_again() -> None:
    """It is a note, `started` is not said twice, and the answer is as if nothing had happened."""
    stage = Stage([DOWN], [DOWN], say("hello"))
    assert (await stage.conversation.exchange("hi")).event == AssistantMessageRetrieved("hello")
    assert [(note.attempt, note.attempts, note.kind, note.message) for note in stage.published(RetryScheduled)] == [
        (1, 3, "server", "The provider failed."),
        (2, 3, "server", "The provider failed."),
    ]
    assert types(stage.records).count("started") == 1
    assert [turn.text for turn in stage.script.turns] == ["hi"] * 3
    stage.assert_conforms()


async def test_tool_outputs_are_sent_again_too() -> None:
    """The tools are not run twice for it."""
    stage = Stage(calling(("add", '{"a": 1}')), [DOWN], say("3"), tools=[add])
    assert (await stage.conversation.exchange("hi")).event == AssistantMessageRetrieved("3")
    assert len(stage.script.results) == 2
    assert types(stage.records).count("tool_started") == types(stage.records).count("tool_outputs_submitted") == 1
    stage.assert_conforms()


async def test_attempts_are_limited() -> None:
    """After the last one the failure is told; every round has its own attempts."""
    stage = Stage([DOWN], [DOWN], [DOWN], say("never"), retry=RetryPolicy(attempts=3, delay=0.001))
    assert (await stage.conversation.exchange("hi")).event == ErrorOccurred("server", "The provider failed.")
    assert len(stage.script.turns) == 3
    assert len(stage.published(RetryScheduled)) == 2


async def test_what_cannot_help_is_not_tried() -> None:
    """A failure that is not retryable ends the exchange at once."""
    stage = Stage([FATAL], say("never"))
    assert (await stage.conversation.exchange("hi")).event == ErrorOccurred("authentication", "Wrong key.")
    assert stage.published(RetryScheduled) == []


@pytest.mark.parametrize("piece", [ChunkReceived("he"), Reasoning("so"), ChunkReceived("he", "commentary")], ids=repr)
async def test_nothing_is_said_twice(piece: Part) -> None:
    """After the first piece of an answer a request is never sent again: the person would read it twice, and pay twice."""
    stage = Stage([piece, DOWN], say("never"))
    assert (await stage.conversation.exchange("hi")).state is State.ERROR
    assert len(stage.script.turns) == 1


@pytest.mark.parametrize("sign", [Heartbeat("queued"), Usage(1), Notice("hm")], ids=repr)
async def test_a_sign_of_life_is_no_piece_of_an_answer(sign: Part) -> None:
    """Heartbeats and notes do not rule out another attempt."""
    stage = Stage([sign, DOWN], say("hello"))
    assert (await stage.conversation.exchange("hi")).state is State.COMPLETED
    stage.assert_conforms()


async def test_a_provider_that_asks_for_time_gets_it() -> None:
    """`retry_after` is waited for, neither more nor less; `0` is at once."""
    stage = Stage([wait_for(0.1)], [wait_for(0.0)], say("hello"), retry=RetryPolicy(delay=30.0, attempts=3))
    began = time.monotonic()
    await stage.conversation.exchange("hi")
    assert 0.1 <= time.monotonic() - began < 25
    assert [note.delay for note in stage.published(RetryScheduled)] == [0.1, 0.0]


async def test_a_provider_that_asks_for_too_much_time_is_given_up() -> None:
    """Nobody waits in front of a terminal for two hours; the failure says at once how long it would have been."""
    stage = Stage([wait_for(7200.0)], say("never"), retry=RetryPolicy(max_delay=60.0))
    async with asyncio.timeout(30):
        assert (await stage.conversation.exchange("hi")).event == ErrorOccurred(
            "rate_limit",
            "Too fast; it asks us to wait 2 h.",
            "Automatic retries wait at most 60 s at a time, 2 min in all. Try again later.",
        )


async def test_an_exchange_has_one_deadline_for_all_its_requests() -> None:
    """What the first request waited, the request after a tool round waits no more."""
    replies: list[list[Part]] = [[wait_for(0.1)], calling(("add", '{"a": 1}')), [wait_for(59.95)], say("never")]
    stage = Stage(*replies, tools=[add], retry=RetryPolicy(max_elapsed=60.0))
    last = await stage.conversation.exchange("hi")
    assert isinstance(last.event, ErrorOccurred)
    assert last.event.message == "Too fast; it asks us to wait 60 s."
    assert [note.delay for note in stage.published(RetryScheduled)] == [0.1]
    stage.script.give([wait_for(59.95)], say("never"))
    await stopped(stage, "retry_scheduled")
    assert [note.delay for note in stage.published(RetryScheduled)] == [0.1, 59.95]


async def test_a_slow_failure_uses_the_deadline_up() -> None:
    """Attempts that take their time to fail count as well as the waits between them."""
    slow: list[Part] = [0.1, DOWN]
    stage = Stage(*([slow] * 20), retry=RetryPolicy(attempts=20, delay=0.001, max_elapsed=0.35))
    assert (await stage.conversation.exchange("hi")).state is State.ERROR
    assert len(stage.script.turns) <= 5


async def test_a_wait_can_be_cancelled() -> None:
    """The person need not wait for the next attempt."""
    stage = Stage([wait_for(30.0)], say("never"))
    last = await stopped(stage, "retry_scheduled")
    assert last.event == Cancelled("user")
    assert len(stage.script.turns) == 1
