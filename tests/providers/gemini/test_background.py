"""Interactions in the background: polled, stopped at Google, and taken up by another process."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from asstproxy.core.codec import decode, encode
from asstproxy.core.errors import AssistantError
from asstproxy.core.events import Cancelled, Heartbeat
from asstproxy.core.script import State
from asstproxy.core.turn import Turn
from asstproxy.providers.gemini.generate import GenerateProvider
from core.stage import Stage
from servers import Call, Delay, Say, Script, Status

from .gemini_stage import MODEL, add, bodies, on_stage, proxy


def server_ids(server: Any) -> list[str]:
    return [*server.interactions]


async def test_background_is_polled() -> None:
    """Google's own words for it are heard, and where it stands is in the journal."""
    async with on_stage("interactions", [Say("one")], [Say("two")], background=True) as (server, stage):
        for text in "ab":
            record = await stage.conversation.exchange(text)
    assert record.state == State.COMPLETED
    beats = stage.published(Heartbeat)
    assert {beat.status for beat in beats} == {"queued", "in_progress"}
    one, two = server_ids(server)
    assert beats[0].resume == {"running": one}
    assert beats[-1].resume == {"interaction": one, "model": MODEL, "running": two}


async def test_polls_that_fail_are_repeated_and_nothing_is_paid_twice() -> None:
    """A new request would be a second answer."""
    async with on_stage("interactions", [Say("one")], background=True, faults=[Status(503, on="GET", first=2)]) as (
        server,
        stage,
    ):
        record = await stage.conversation.exchange("a")
    assert record.state == State.COMPLETED
    assert len(bodies(server)) == 1
    async with on_stage("interactions", [Say("one")], background=True, faults=[Status(503, on="GET")]) as (
        server,
        stage,
    ):
        exchange = asyncio.create_task(stage.conversation.exchange("a"))
        await server.eventually(lambda server: sum(request.method == "GET" for request in server.requests) > 3)
        stage.conversation.cancel()
        await asyncio.wait({exchange})
    assert stage.events[-1] == Cancelled("user")  # nothing else ended it
    assert len([body for body in bodies(server) if body]) == 1
    assert str(server.requests[-1]).endswith("/cancel")  # nobody will fetch it any more


async def test_background_is_taken_up_by_another_process() -> None:
    """From the token in its journal: the model runs once, the tool round goes on, and so does the conversation."""
    turns: list[Any] = [[Call("add", {"a": 1})], [Say("three")], [Say("bye")]]
    async with on_stage("interactions", *turns, tools=[add], background=True) as (server, stage):
        await stage.conversation.exchange("a")
        end = next(i for i, event in enumerate(stage.events) if isinstance(event, Heartbeat)) + 1
        past = [decode(encode(record)) for record in stage.records[:end]]
        server.brain = Script(*turns[1:])
        later = Stage(assistant=proxy(server, "interactions"), tools=[add], past=past, background=True)
        record = await later.conversation.attach()
        assert record.event.text == "three", record  # type: ignore[union-attr]
        await later.conversation.exchange("b")
        await later.conversation.aclose()
    assert [step["type"] for step in server.contexts[-1]][:4] == [
        *("user_input", "function_call", "function_result"),
        "model_output",
    ]
    assert len(server.contexts) == 4  # the first process was not really dead: it went on, too


async def test_what_cannot_be_taken_up() -> None:
    """A token of somebody else, and an interaction that is gone."""
    async with on_stage("interactions") as (_, stage):
        assistant: Any = stage.conversation.assistant
        for token, kind in (({"response": "r"}, "interrupted"), (None, "interrupted"), ({"running": "x"}, "not_found")):
            with pytest.raises(AssistantError) as caught:
                await anext(assistant.attach(Turn("", resume=token)))
            assert caught.value.kind == kind
    assert not hasattr(GenerateProvider, "attach")


async def test_background_is_cancelled_at_google() -> None:
    """Whoever stops does not pay for the rest."""
    async with on_stage("interactions", [Say("one two", pace=5)], background=True, faults=[Delay(0.02, on="GET")]) as (
        server,
        stage,
    ):
        task = asyncio.ensure_future(stage.conversation.exchange("a"))
        await server.eventually(lambda _: bool(stage.published(Heartbeat)))
        stage.conversation.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        (number,) = server_ids(server)
        assert server.interactions[number].interaction["status"] == "cancelled"
