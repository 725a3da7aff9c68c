"""Stopping an exchange: by the person, by a time limit, from outside; what was received is kept."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence

import pytest

from asstproxy.core.conversation import Conversation
from asstproxy.core.errors import AssistantError
from asstproxy.core.events import (
    ApprovalGiven,
    AssistantMessageRetrieved,
    Cancelled,
    ChunkReceived,
    Decision,
    Event,
    Started,
    ToolResult,
)
from asstproxy.core.history import AssistantMessage, ToolOutputs, UserMessage
from asstproxy.core.script import State
from asstproxy.core.turn import Turn
from asstproxy.providers.scripted import say
from asstproxy.tools import Question

from .stage import Stage, calling, stopped
from .test_tool_rounds import add, asking

HE = ChunkReceived("he")


@pytest.mark.parametrize("mediator", ["state-machine", "basic"])
async def test_what_was_received_is_kept(mediator: str) -> None:
    """Cancelling in the middle of an answer settles it, and the next turn carries the partial text."""
    stage = Stage([HE, 60.0], say("fine"), mediator=mediator)
    last = await stopped(stage, "chunk_received")
    assert (last.state, last.event) == (State.CANCELLED, Cancelled("user"))
    await stage.conversation.exchange("go on")
    assert stage.script.turns[-1].history == (UserMessage("hi"), AssistantMessage("he"))


@pytest.mark.parametrize("after", ["set_user_message", "started", "chunk_received"])
async def test_an_exchange_can_be_stopped_after_every_record(after: str) -> None:
    """A subscriber may cancel from within; the next await of the exchange ends it."""
    stage = Stage([0.0, HE, 60.0], say("fine"))
    stage.conversation.subscribe(lambda record: stage.conversation.cancel() if record.event.type == after else None)
    with pytest.raises(asyncio.CancelledError):
        await stage.conversation.exchange("hi")
    assert stage.events[-1] == Cancelled("user")


async def test_cancelling_too_late_does_nothing() -> None:
    """With the closing message the exchange is over: nobody's next await is cancelled instead."""
    stage = Stage(say("hello"))
    closing = "assistant_message_retrieved"
    stage.conversation.subscribe(lambda record: stage.conversation.cancel() if record.event.type == closing else None)
    assert (await stage.conversation.exchange("hi")).state is State.COMPLETED
    await asyncio.sleep(0)
    stage.conversation.cancel()
    await asyncio.sleep(0)
    assert stage.conversation.state is State.COMPLETED


async def test_cancelling_says_why() -> None:
    """Who stops an exchange may give the reason; the next one has its own."""
    stage = Stage([60.0], [60.0])
    assert (await stopped(stage, "started", Cancelled("terminated"))).event == Cancelled("terminated")
    assert (await stopped(stage, "started")).event == Cancelled("user")


async def test_a_task_that_is_cancelled_cancels_its_exchange() -> None:
    """Ctrl-C reaches the task; the record is published before it ends."""
    stage = Stage([60.0])
    task = asyncio.create_task(stage.conversation.exchange("hi"))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert stage.records[-1].event == Cancelled("user")


async def test_a_time_limit_is_no_exception() -> None:
    """`timeout` settles the exchange as cancelled and returns its record."""
    stage = Stage([HE, 60.0], say("fine"))
    began = time.monotonic()
    last = await stage.conversation.exchange("hi", timeout=0.05)
    assert (last.state, last.event) == (State.CANCELLED, Cancelled("timeout"))
    assert time.monotonic() - began < 30
    assert (await stage.conversation.exchange("go on", timeout=30)).event == AssistantMessageRetrieved("fine")


async def test_a_tool_is_stopped_too() -> None:
    """Calls that run when the exchange is cancelled are answered as interrupted."""
    stopped_in: list[str] = []

    async def hang() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            stopped_in.append("tool")
            raise

    async def quick() -> str:
        return "done"

    stage = Stage(calling(("hang", "{}"), ("quick", "{}")), say("fine"), tools=[hang, quick])
    await stopped(stage, "tool_finished")
    assert stopped_in == ["tool"]
    await stage.conversation.exchange("go on")
    outputs = stage.script.turns[-1].history[-1]
    assert isinstance(outputs, ToolOutputs)
    assert [(result.output, result.error is None) for result in outputs.results] == [("", False), ("done", True)]


async def test_an_open_question_is_stopped_too() -> None:
    """A person who is asked for approval may also just leave."""

    async def think(questions: Sequence[Question]) -> Sequence[Decision]:
        await asyncio.sleep(60)
        return [question.yes() for question in questions]

    stage = Stage(calling(("add", '{"a": 1}')), tools=[asking(add)], approve=think)
    assert (await stopped(stage, "approval_requested")).event == Cancelled("user")


async def test_a_person_who_answers_too_late_is_not_heard() -> None:
    """An approver that swallows its cancellation does not keep the exchange going."""

    async def stubborn(questions: Sequence[Question]) -> Sequence[Decision]:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
        return [question.yes() for question in questions]

    stage = Stage(calling(("add", '{"a": 1}')), say("3"), tools=[asking(add)], approve=stubborn)
    assert (await stopped(stage, "approval_requested")).event == Cancelled("user")
    assert stage.published(ApprovalGiven) == []


class Unkind:
    """An assistant that, when it is stopped, raises something of its own."""

    provider, model = "unkind", "m"

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error

    async def start_processing(self, turn: Turn) -> AsyncIterator[Event]:
        yield Started(self.provider)
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            if self.error is not None:
                raise self.error from None
        yield AssistantMessageRetrieved("I had the last word")

    async def submit_tool_outputs(self, results: Sequence[ToolResult]) -> AsyncIterator[Event]:
        yield Started(self.provider)

    async def aclose(self) -> None:
        pass


class Endless(Unkind):
    """An assistant that speaks until `done` is set (or for a minute), and never waits for anything."""

    done = False

    async def start_processing(self, turn: Turn) -> AsyncIterator[Event]:
        yield Started(self.provider)
        end = time.monotonic() + 60
        while not self.done and time.monotonic() < end:
            yield HE
            await self.breathe()

    async def breathe(self) -> None:
        pass


class Deaf(Endless):
    """An assistant that speaks for ever, and goes on when it is stopped."""

    async def breathe(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(0.001)


@pytest.mark.parametrize("error", [ValueError("no"), OSError("no"), None], ids=repr)
async def test_a_cancellation_wins_over_what_a_provider_makes_of_it(error: Exception | None) -> None:
    """Whatever a provider raises, or says, on being stopped: the exchange is cancelled, and so is its task."""
    stage = Stage(assistant=Unkind(error))
    last = await stopped(stage, "started")
    assert last.event == Cancelled("user")
    stage = Stage(assistant=Unkind(error))
    assert (await stage.conversation.exchange("hi", timeout=0.01)).event == Cancelled("timeout")


async def test_a_retryable_failure_on_being_stopped_is_not_retried() -> None:
    """Nothing is sent again for a person who has left."""
    stage = Stage(assistant=Unkind(AssistantError("connection", "broke", retryable=True)))
    await stopped(stage, "started")
    assert [event.type for event in stage.events].count("retry_scheduled") == 0


@pytest.mark.parametrize("assistant", [Endless(), Deaf()], ids=["endless", "deaf"])
async def test_an_endless_stream_can_be_stopped(assistant: Endless) -> None:
    """A provider that never waits leaves the loop its share, and one that does not listen is left alone."""
    stage = Stage(assistant=assistant)
    began = time.monotonic()
    assert (await stage.conversation.exchange("hi", timeout=0.05)).event == Cancelled("timeout")
    assert time.monotonic() - began < 30
    assistant.done = True


async def test_a_cancellation_that_nobody_asked_for_is_a_failure() -> None:
    """When something inside a provider was cancelled, the person did not do it, and no task of ours ends for it."""
    stage = Stage([HE, asyncio.CancelledError()])
    last = await stage.conversation.exchange("hi")
    assert (last.state, last.event.kind) == (State.ERROR, "internal")  # type: ignore[union-attr]


async def test_closing_ends_the_exchange() -> None:
    """`aclose` settles what is under way first, and does not wait for what the exchange's task does afterwards."""
    stage = Stage([60.0])

    async def chat(conversation: Conversation) -> None:
        try:
            await conversation.exchange("hi")
        except asyncio.CancelledError:
            await asyncio.sleep(60)

    task = asyncio.create_task(chat(stage.conversation))
    await asyncio.sleep(0.01)
    async with asyncio.timeout(30):
        await stage.conversation.aclose()
    assert stage.records[-1].state is State.CANCELLED
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
