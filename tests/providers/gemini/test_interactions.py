"""The Interactions API: Google keeps the conversation, works in the background, and takes up a stream that was cut."""

from __future__ import annotations

from typing import Any

import pytest

from asstproxy.core.codec import decode, encode
from asstproxy.core.errors import AssistantError
from asstproxy.core.events import AssistantMessageRetrieved, ChunkReceived, Configured, Event, MessageIncomplete, Notice
from asstproxy.core.history import AssistantMessage, UserMessage
from asstproxy.core.script import State
from asstproxy.providers.gemini.interactions import steps
from asstproxy.providers.gemini.interactions_reader import Reader
from core.stage import Stage
from servers import Call, Cut, Duplicate, Fail, Say, Think

from .gemini_stage import WAYS, add, bodies, on_stage, proxy, text_of

every_way = pytest.mark.parametrize("way", WAYS)
THREE: list[Any] = [[Think("t"), Say("one")], [Call("add", {"a": 1})], [Say("two")], [Say("three")]]


@every_way
async def test_only_what_is_new_is_sent(way: str) -> None:
    """The rest is at Google; tools and instructions hold for one interaction, so they go with each."""
    async with on_stage("interactions", *THREE, tools=[add], **WAYS[way]) as (server, stage):
        stage.conversation.configure(Configured(instructions="Be brief."))
        for text in "ab":
            await stage.conversation.exchange(text)
    one, two, three = bodies(server)
    assert "previous_interaction_id" not in one
    assert [[step["type"] for step in body["input"]] for body in (one, two, three)] == [
        ["user_input"],
        ["user_input"],
        ["function_result"],
    ]
    assert two["previous_interaction_id"] != three["previous_interaction_id"]
    assert all(body["tools"] and body["system_instruction"] for body in (one, two, three))
    assert [step["type"] for step in server.contexts[-1]] == [
        *("user_input", "thought", "model_output"),
        *("user_input", "function_call", "function_result"),
    ]


async def test_a_session_that_is_read_again_goes_on() -> None:
    """From the interaction in its journal."""
    async with on_stage("interactions", *THREE, tools=[add]) as (server, stage):
        await stage.conversation.exchange("a")
        past = [decode(encode(record)) for record in stage.records]
        later = Stage(assistant=proxy(server, "interactions"), tools=[add], past=past)
        await later.conversation.exchange("b")
        await later.conversation.aclose()
    assert bodies(server)[1]["previous_interaction_id"] == server_ids(server)[0]


def server_ids(server: Any) -> list[str]:
    return [*server.interactions]


async def test_another_model_is_told_the_history() -> None:
    """What the first one signed is nothing to it."""
    async with on_stage("interactions", *THREE, tools=[add]) as (server, stage):
        await stage.conversation.exchange("a")
        stage.conversation.configure(Configured(model="gemini-4-neon"))
        await stage.conversation.exchange("b")
    _, first, second = bodies(server)
    assert "previous_interaction_id" not in first
    assert [step["type"] for step in first["input"]] == ["user_input", "model_output", "user_input"]
    assert [step["type"] for step in second["input"]] == ["function_result"]


@pytest.mark.parametrize("gone", ["cut", "deleted", "unstored"])
async def test_a_conversation_that_google_does_not_have(gone: str) -> None:
    """It is told the whole of it again, thoughts and signatures included."""
    async with on_stage("interactions", *THREE, tools=[add]) as (server, stage):
        if gone == "unstored":
            stage.conversation.configure(Configured(settings={"store": False}))
        for text in "ab":
            await stage.conversation.exchange(text)
        if gone == "cut":
            stage.conversation.cut_history(1)
        server.interactions.clear()
        record = await stage.conversation.exchange("c")
    assert record.state == State.COMPLETED, record
    last = bodies(server)[-1]
    assert "previous_interaction_id" not in last
    kinds = [
        "user_input",
        "thought",
        "model_output",
        *(["user_input", "function_call", "function_result", "model_output"]),
    ]
    assert [step["type"] for step in last["input"]] == [*(kinds[:3] if gone == "cut" else kinds), "user_input"]
    assert len(stage.published(Notice)) == (1 if gone == "deleted" else 0)


async def test_a_model_that_is_gone_is_not_a_conversation_that_is_gone() -> None:
    """One request, one error."""
    async with on_stage("interactions", *THREE) as (server, stage):
        await stage.conversation.exchange("a")
        server.models = ()
        record = await stage.conversation.exchange("b")
    assert record.event.kind == "not_found"  # type: ignore[union-attr]
    assert len(server.requests) == 2


CUTS = [
    Cut("step.delta", first=1),
    Cut(6, first=1),
    Cut(6, how="reset", first=1),
    Cut(6, how="end", first=1),
    Cut("interaction.completed", how="end", first=1),
    Cut(byte=900, first=1),
]


@pytest.mark.parametrize("fault", CUTS, ids=str)
async def test_a_stream_that_was_cut_is_taken_up(fault: Any) -> None:
    """Nothing is lost, nothing is heard twice, and nothing is paid twice."""
    async with on_stage("interactions", [Think("t"), Say("one two three four five")], faults=[fault]) as (
        server,
        stage,
    ):
        record = await stage.conversation.exchange("hi")
    stage.assert_conforms()
    assert isinstance(record.event, AssistantMessageRetrieved), record
    assert record.event.text == text_of(stage) == "one two three four five"
    assert len(bodies(server)) == 1
    assert "last_event_id" in server.requests[-1].query


async def test_a_stream_that_is_cut_again_and_again() -> None:
    """As long as it brings something new, it goes on; then there is an end to it."""
    words = "a b c d e f g h"
    async with on_stage(
        "interactions", [Say(words, pace=0.01)], faults=[Cut(2, how="end", on="GET"), Cut(6, first=1)]
    ) as (server, stage):
        record = await stage.conversation.exchange("hi")
        assert record.event.text == words, record  # type: ignore[union-attr]
    async with on_stage("interactions", [Say(words)], faults=[Cut(0, on="GET"), Cut(6, first=1)]) as (server, stage):
        record = await stage.conversation.exchange("hi")
        assert record.event.kind == "connection"  # type: ignore[union-attr]
        assert len([request for request in server.requests if request.method == "GET"]) == 3


async def test_a_stream_that_is_not_stored_cannot_be_taken_up() -> None:
    """It broke, and that is said."""
    async with on_stage("interactions", [Say("one two three")], faults=[Cut(6)]) as (server, stage):
        stage.conversation.configure(Configured(settings={"store": False}))
        record = await stage.conversation.exchange("hi")
    assert record.event.kind == "connection"  # type: ignore[union-attr]
    assert len(server.requests) == 1


async def test_an_event_that_comes_twice_counts_once() -> None:
    """By its id."""
    async with on_stage("interactions", [Say("one two")], faults=[Duplicate("step.delta")]) as (_, stage):
        record = await stage.conversation.exchange("hi")
    assert record.event.text == text_of(stage) == "one two"  # type: ignore[union-attr]


# ---- the translation -------------------------------------------------------------------------------------------------


def ended(status: str | None, *found: Any, **more: Any) -> list[Event]:
    return list(Reader().reply({"id": "i", "status": status, "steps": [*found], **more}))


def test_how_an_interaction_may_end() -> None:
    """Every status, with what was said until then."""
    said = {"type": "model_output", "content": [{"type": "text", "text": "a"}]}
    call = {"type": "function_call", "id": "c", "name": "f", "arguments": {}}
    assert ended("completed", said) == [AssistantMessageRetrieved("a", resume="i")]
    assert ended("incomplete", said) == [MessageIncomplete("a", "max_output_tokens", resume="i")]
    assert ended("incomplete", said, call)[-1] == MessageIncomplete("a", "max_output_tokens", resume="i")
    notice, closing = ended("budget_exceeded", said, errors=[{"code": "x", "message": "No more."}])
    assert "No more." in notice.text  # type: ignore[attr-defined]
    assert closing == MessageIncomplete("a", "budget_exceeded", resume="i")
    for status, kind in {"failed": "server", "cancelled": "interrupted", "odd": "protocol", None: "protocol"}.items():
        with pytest.raises(AssistantError) as caught:
            ended(status)
        assert caught.value.kind == kind
    with pytest.raises(AssistantError) as caught:
        ended("failed", errors=[{"code": "https://example.org/errors/too_many_requests", "message": "slow"}])
    assert (caught.value.kind, caught.value.retryable) == ("rate_limit", True)
    with pytest.raises(AssistantError, match="safety filter") as caught:
        ended("failed", errors=[{"code": "SAFETY", "message": "no"}])
    assert caught.value.kind == "content"


def test_raw_of_the_other_api_is_not_ours() -> None:
    """A session that changes its `api` tells its history in neutral words."""
    said = AssistantMessage("hello", (), {"parts": [{"text": "hello", "thoughtSignature": "s"}]})
    assert [step["type"] for step in steps([UserMessage("hi"), said])] == ["user_input", "model_output"]


def test_litellm_leaves_the_braces_out() -> None:
    """What LiteLLM 1.106 streams, as it was on the wire."""
    events: list[Any] = [
        {"event_type": "interaction.created", "id": "interaction_1", "object": "interaction", "status": "in_progress"},
        {"event_type": "step.start", "index": 0, "step": {"type": "model_output", "content": []}},
        {"event_type": "step.delta", "delta": {"type": "text", "text": "The"}, "index": 0},
        {"event_type": "step.delta", "delta": {"type": "text", "text": " end."}, "index": 0},
        {"event_type": "step.stop", "index": 0},
        {"event_type": "interaction.completed", "id": "interaction_1", "status": "completed", "steps": []},
    ]
    reader = Reader()
    said = [said for event in events for said in reader.feed(event)]
    assert [*said, *reader.end()] == [
        ChunkReceived("The"),
        ChunkReceived(" end."),
        AssistantMessageRetrieved("The end.", resume="interaction_1"),
    ]
    assert reader.done


async def test_a_failure_in_mid_answer() -> None:
    """It is an event here; what was heard is kept."""
    async with on_stage("interactions", [Say("a b"), Fail("service_unavailable", "busy")]) as (server, stage):
        record = await stage.conversation.exchange("hi")
    assert record.event.kind == "server"  # type: ignore[union-attr]
    assert text_of(stage) == "a b"
    assert len(server.requests) == 1
