"""The gemini provider over HTTP, in both of Google's APIs: conversations, tools, and how an answer may end."""

from __future__ import annotations

import pytest

from asstproxy.core.events import (
    ActionRequired,
    Configured,
    ErrorOccurred,
    Heartbeat,
    MessageIncomplete,
    Notice,
    Reasoning,
    RetryScheduled,
    Usage,
)
from asstproxy.core.retry import RetryPolicy
from asstproxy.core.script import State
from asstproxy.tools import as_tool
from core.stage import Stage
from servers import Block, Call, Incomplete, Refuse, Say, Think, Wait

from .gemini_stage import APIS, WAYS, add, bodies, on_stage, text_of, thinking

both = pytest.mark.parametrize("api", APIS)
every_way = pytest.mark.parametrize("way", WAYS)


async def failed(stage: Stage) -> ErrorOccurred:
    record = await stage.conversation.exchange("hi")
    stage.assert_conforms()
    assert isinstance(record.event, ErrorOccurred), record
    return record.event


@both
@every_way
async def test_a_conversation_with_tools(api: str, way: str) -> None:
    """Two exchanges, the first with parallel calls in two rounds; each request tells the model all it needs."""
    turns = [
        [Think("which?"), Say("Let me see."), Call("add", {"a": 1}), Call("add", {"a": 5})],
        [Call("add", {"a": 3, "b": 7})],
        [Say("3, 7, 10")],
        [Think("hm"), Say("Bye.")],
    ]
    async with on_stage(api, *turns, tools=[add], **WAYS[way]) as (server, stage):
        thinking(stage)
        first = await stage.conversation.exchange("add")
        second = await stage.conversation.exchange("bye")
        await stage.conversation.aclose()
    stage.assert_conforms()
    assert [first.state, second.state] == [State.COMPLETED, State.COMPLETED]
    assert first.event.text == "3, 7, 10"  # type: ignore[union-attr]
    one, two = stage.published(ActionRequired)
    assert (one.text, [call.arguments for call in one.calls]) == ("Let me see.", ['{"a": 1}', '{"a": 5}'])
    assert len(two.calls) == 1
    spoken = "Let me see.3, 7, 10Bye." if way == "streamed" else ""
    assert text_of(stage) == spoken
    assert text_of(stage, Reasoning) == "which?hm"
    assert len(stage.published(Usage)) == 4
    seen = str(server.contexts[-1])
    for word in ("add", "Let me see.", "'3'", "'7'", "'10'", "3, 7, 10", "bye"):
        assert word in seen


@both
async def test_results_go_back_together(api: str) -> None:
    """All in one content, in the order of the calls, failures as failures; ids only where the server gave one."""
    turn = [Call("add", {"a": 1}), Call("add", {"a": "no number"}), Call("sub", {})]
    async with on_stage(api, turn, [Say("ok")], tools=[add]) as (server, stage):
        await stage.conversation.exchange("add")
    if api == "generate":
        answers = [part["functionResponse"] for part in bodies(server)[-1]["contents"][-1]["parts"]]
        assert [answer["name"] for answer in answers] == ["add", "add", "sub"]
        assert [[*answer["response"]] for answer in answers] == [["output"], ["error"], ["error"]]
        assert all(answer["id"] for answer in answers)
    else:
        answers = bodies(server)[-1]["input"]
        assert [answer["name"] for answer in answers] == ["add", "add", "sub"]
        assert [answer.get("is_error", False) for answer in answers] == [False, True, True]


@pytest.mark.parametrize("last_chunk", ["empty_part", "no_parts", "no_content", "no_candidates"])
@pytest.mark.parametrize("call_ids", [True, False])
async def test_no_turn_is_lost(last_chunk: str, call_ids: bool) -> None:
    """Whatever the last chunk looks like, the next request has all that was said, signatures included."""
    turns = [[Think("t"), Say("one two")], [Think("t"), Call("add", {"a": 1}), Call("add", {"a": 2})], [Say("three")]]
    async with on_stage("generate", *turns, tools=[add], last_chunk=last_chunk, call_ids=call_ids) as (server, stage):
        await stage.conversation.exchange("a")
        record = await stage.conversation.exchange("b")
    assert record.event.text == "three"  # type: ignore[union-attr]
    contents = bodies(server)[-1]["contents"]
    assert [content["role"] for content in contents] == ["user", "model", "user", "model", "user"]
    assert "".join(part.get("text", "") for part in contents[1]["parts"]) == "one two"
    assert all("thoughtSignature" in str(content) for content in contents if content["role"] == "model")


@both
async def test_schemas_with_definitions(api: str) -> None:
    """They go as JSON schema, written out."""
    async with on_stage(api, [Say("ok")], tools=[as_tool(add)]) as (server, stage):
        await stage.conversation.exchange("hi")
    (tool,) = bodies(server)[0]["tools"]
    schema = tool["functionDeclarations"][0]["parametersJsonSchema"] if api == "generate" else tool["parameters"]
    assert schema["properties"]["a"]["type"] == "integer"
    assert schema["required"] == ["a"]


@both
async def test_settings_are_sent_only_if_set(api: str) -> None:
    """Nothing that newer models refuse goes out by itself; instructions and settings go with every request."""
    async with on_stage(api, [Call("add", {"a": 1})], [Say("ok")], tools=[add]) as (server, stage):
        stage.conversation.configure(Configured(instructions="Be brief.", settings={"max_output_tokens": 50}))
        await stage.conversation.exchange("hi")
    names = ("generationConfig", "systemInstruction", "maxOutputTokens")
    config, system, limit = (
        names if api == "generate" else ("generation_config", "system_instruction", "max_output_tokens")
    )
    assert [body[config] for body in bodies(server)] == [{limit: 50}] * 2
    assert all("Be brief." in str(body[system]) and body["tools"] for body in bodies(server))


async def test_heartbeats_while_it_is_silent() -> None:
    """A model that thinks for a while is seen to be alive."""
    async with on_stage("generate", [Wait(0.15), Say("ok")], heartbeat=0.02, retry=RetryPolicy(attempts=1)) as (
        _,
        stage,
    ):
        record = await stage.conversation.exchange("hi")
    assert record.state == State.COMPLETED
    assert len(stage.published(Heartbeat)) >= 2


@both
@pytest.mark.parametrize("way", ["streamed", "unary"])
async def test_endings_that_keep_what_was_said(api: str, way: str) -> None:
    """A limit, a filter, a refusal: each tells the person what it is, and the session goes on."""
    turns = [[Say("much"), Incomplete()], [Refuse("no")], [Say("ok")]]
    async with on_stage(api, *turns, **WAYS[way]) as (server, stage):
        records = [await stage.conversation.exchange(text) for text in "abc"]
    stage.assert_conforms()
    assert isinstance(records[0].event, MessageIncomplete)
    assert (records[0].event.text, records[0].event.reason) == ("much", "max_output_tokens")
    assert [record.state for record in records[1:]] == [State.COMPLETED] * 2
    assert "much" in str(server.contexts[-1])


@both
@pytest.mark.parametrize("way", ["streamed", "unary"])
async def test_a_prompt_that_is_blocked(api: str, way: str) -> None:
    """An error in words, and no part of the history."""
    async with on_stage(api, [Block("PROHIBITED_CONTENT")], [Say("ok")], **WAYS[way]) as (server, stage):
        error = await failed(stage)
        await stage.conversation.exchange("again")
    assert error.kind == "content"
    assert "refused" in error.message
    assert "hi" not in str(server.contexts[-1])


async def test_malformed_calls_are_asked_for_again() -> None:
    """The model's own slip: the same request may do better, as long as nothing was said."""
    async with on_stage("generate", [Incomplete("MALFORMED_FUNCTION_CALL")], [Say("ok")]) as (_, stage):
        record = await stage.conversation.exchange("hi")
    assert record.state == State.COMPLETED
    assert len(stage.published(RetryScheduled)) == 1


async def test_background_is_told_apart() -> None:
    """One of the APIs has none; the person is told, and gets the answer."""
    async with on_stage("generate", [Say("ok")], background=True) as (_, stage):
        record = await stage.conversation.exchange("hi")
    assert record.state == State.COMPLETED
    assert "interactions" in stage.published(Notice)[0].text
