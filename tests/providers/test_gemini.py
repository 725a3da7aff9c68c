"""The gemini provider over HTTP, in both of Google's APIs: conversations, tools, and everything that can go wrong."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from asstproxy.core.driver import Patience
from asstproxy.core.events import (
    ActionRequired,
    Cancelled,
    ChunkReceived,
    Configured,
    ErrorOccurred,
    Heartbeat,
    MessageIncomplete,
    Notice,
    Reasoning,
    RetryScheduled,
    Usage,
)
from asstproxy.core.script import State
from asstproxy.core.tools import as_tool
from asstproxy.providers.gemini_generate import GenerateProxy
from asstproxy.providers.gemini_interactions_proxy import InteractionsProxy
from asstproxy.providers.transport.http import HttpTransport
from core.stage import Stage
from servers import (
    BROKEN_FRAMINGS,
    LEGAL_FRAMINGS,
    Block,
    BrokenJson,
    Call,
    Cut,
    Delay,
    ErrorEvent,
    Fail,
    Framing,
    Html,
    Incomplete,
    Redirect,
    Refuse,
    Say,
    Split,
    Stall,
    Status,
    Think,
    UnknownEvent,
    Vanish,
    Wait,
    refused_port,
)

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
    one, two = stage.said(ActionRequired)
    assert (one.text, [call.arguments for call in one.calls]) == ("Let me see.", ['{"a": 1}', '{"a": 5}'])
    assert len(two.calls) == 1
    spoken = "Let me see.3, 7, 10Bye." if way == "streamed" else ""
    assert text_of(stage) == spoken
    assert text_of(stage, Reasoning) == "which?hm"
    assert len(stage.said(Usage)) == 4
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
    patience = Patience(heartbeat=0.02, attempts=1)
    async with on_stage("generate", [Wait(0.15), Say("ok")], patience=patience) as (_, stage):
        record = await stage.conversation.exchange("hi")
    assert record.state == State.COMPLETED
    assert len(stage.said(Heartbeat)) >= 2


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
    assert len(stage.said(RetryScheduled)) == 1


async def test_background_is_told_apart() -> None:
    """One of the APIs has none; the person is told, and gets the answer."""
    async with on_stage("generate", [Say("ok")], background=True) as (_, stage):
        record = await stage.conversation.exchange("hi")
    assert record.state == State.COMPLETED
    assert "interactions" in stage.said(Notice)[0].text


# ---- refusals and broken connections ---------------------------------------------------------------------------------

REFUSALS = [
    (Status(400), "invalid_request", 1),
    (Status(401), "authentication", 1),
    (Status(403), "authentication", 1),
    (Status(404, message="models/gone is not found for API version v1beta."), "not_found", 1),
    (Status(429, retry_after=0.01), "rate_limit", 3),
    (Status(429, retry_after=3600), "rate_limit", 1),
    (Status(500), "server", 3),
    (Status(503), "server", 3),
    (Status(504), "server", 3),
    (Html(), "protocol", 1),
    (Html(502), "server", 3),
    (Redirect("http://127.0.0.1:9/"), "protocol", 1),
]


@both
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(("fault", "kind", "requests"), REFUSALS, ids=str)
async def test_refusals(api: str, stream: bool, fault: Any, kind: str, requests: int) -> None:
    """Each has its kind and a hint, and is tried again only where that can help."""
    async with on_stage(api, faults=[fault], stream=stream) as (server, stage):
        error = await failed(stage)
        assert (error.kind, len(server.requests)) == (kind, requests), error
        assert error.hint


@both
@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_retry_that_helps(api: str, status: int) -> None:
    """The exchange is one, and the wait is the one that Google asked for."""
    async with on_stage(api, [Say("ok")], faults=[Status(status, retry_after=0.02, first=2)]) as (_, stage):
        record = await stage.conversation.exchange("hi")
    stage.assert_conforms()
    assert record.state == State.COMPLETED
    assert [note.delay for note in stage.said(RetryScheduled)] == [0.02, 0.02]


@both
async def test_a_key_that_is_wrong(api: str) -> None:
    """A status of 400, but it is the key; where to get a new one is said, and the key is not."""
    async with on_stage(api) as (server, stage):
        server.key = "another"
        error = await failed(stage)
    assert error.kind == "authentication"
    assert "https://aistudio.google.com/apikey" in error.hint


@both
@pytest.mark.parametrize("stream", [True, False])
async def test_no_key_in_any_word(api: str, stream: bool) -> None:
    """Even if the server repeats it."""
    async with on_stage(api, stream=stream) as (server, stage):
        server.faults.add(Status(403, message=f"The key {server.key} is bad."))
        error = await failed(stage)
        assert server.key not in str(stage.records)
    assert "[key]" in error.message


@both
async def test_nobody_listens(api: str) -> None:
    """It is tried again, and then said where."""
    with refused_port() as port:
        transport = HttpTransport(f"http://127.0.0.1:{port}", {"x-goog-api-key": "k"})
        assistant = GenerateProxy(transport, "m") if api == "generate" else InteractionsProxy(transport, "m")
        stage = Stage(assistant=assistant)
        error = await failed(stage)
        await stage.conversation.aclose()
    assert error.kind == "connection"
    assert str(port) in error.message
    assert len(stage.said(RetryScheduled)) == 2


CUTS = [
    Cut(0),
    Cut(1),
    Cut(1, how="reset"),
    Cut(1, how="end"),
    Cut(byte=70),
    Cut(how="reset"),
    BrokenJson(1),
    *(Framing(kind) for kind in BROKEN_FRAMINGS),
]


@pytest.mark.parametrize("fault", CUTS, ids=str)
async def test_streams_that_break(fault: Any) -> None:
    """A stream that ends without its last chunk is no answer; what was heard is kept."""
    async with on_stage("generate", [Say("one two three")], faults=[fault]) as (_, stage):
        error = await failed(stage)
    assert error.kind in ("connection", "protocol"), error
    assert len(stage.said(RetryScheduled)) == 0


DRESSES = [
    *(
        Framing(kind) for kind in LEGAL_FRAMINGS if kind != "bom"
    ),  # httpx2 2.16 takes a BOM for a part of the first line
    Split(1),
    Split(7),
    UnknownEvent(1),
    Vanish(),
]


@both
@pytest.mark.parametrize("fault", DRESSES, ids=str)
async def test_streams_in_another_dress(api: str, fault: Any) -> None:
    """The same words, however they are framed."""
    async with on_stage(api, [Say("Grüße, 世界 \u2028 👋")], faults=[fault]) as (_, stage):
        record = await stage.conversation.exchange("hi")
    assert record.event.text == "Grüße, 世界 \u2028 👋", record  # type: ignore[union-attr]
    assert text_of(stage) == "Grüße, 世界 \u2028 👋"


@pytest.mark.parametrize(
    ("api", "fault"),
    [
        ("generate", ErrorEvent(3, "nested")),
        ("interactions", ErrorEvent("step.stop", "nested")),
        ("interactions", ErrorEvent("step.stop", "flat")),
    ],
)
async def test_errors_in_mid_stream(api: str, fault: Any) -> None:
    """They end the exchange; what was heard before is kept."""
    async with on_stage(api, [Say("one two three four five six")], faults=[fault]) as (_, stage):
        error = await failed(stage)
        assert error.kind == "server"
        assert text_of(stage)
        server_history = stage.conversation.history.items("gemini", "gemini-3.8-flash")
    assert "one" in str(server_history)


async def test_an_error_before_the_first_word_is_tried_again() -> None:
    """Google may accept a request and fail in the first chunk."""
    fault = ErrorEvent(0, "nested", status=503, first=1)
    async with on_stage("generate", [Say("ok")], [Say("ok")], faults=[fault]) as (_, stage):
        record = await stage.conversation.exchange("hi")
    assert record.state == State.COMPLETED
    assert len(stage.said(RetryScheduled)) == 1


async def test_a_failure_in_mid_answer_is_not_tried_again() -> None:
    """The person has seen half of it."""
    async with on_stage("generate", [Say("a b"), Fail("UNAVAILABLE", "busy")]) as (server, stage):
        error = await failed(stage)
    assert (error.kind, len(server.requests)) == ("server", 1)


@both
@pytest.mark.parametrize("stream", [True, False])
async def test_a_silent_server(api: str, stream: bool) -> None:
    """Its time is over at some point."""
    async with on_stage(api, [Say("ok")], faults=[Stall()], silence=0.1, stream=stream) as (_, stage):
        assert (await failed(stage)).kind == "timeout"


async def test_a_server_that_does_not_hang_up() -> None:
    """The last chunk is the end, whatever the connection does."""
    async with on_stage("generate", [Say("ok")], faults=[Stall(event=99)]) as (_, stage):
        record = await stage.conversation.exchange("hi", timeout=4)
    assert record.state == State.COMPLETED


@both
@pytest.mark.parametrize("after", [1, 2])
async def test_a_request_of_a_tool_round_that_fails_is_made_again(api: str, after: int) -> None:
    """With the same results, and no call made twice."""
    turns = [[Call("add", {"a": 1})], [Call("add", {"a": 2})], [Say("ok")]]
    async with on_stage(api, *turns, tools=[add], faults=[Status(503, first=1, skip=after)]) as (server, stage):
        record = await stage.conversation.exchange("hi")
    assert record.state == State.COMPLETED
    assert len(stage.said(ActionRequired)) == 2
    assert bodies(server)[after] == bodies(server)[after + 1]


@both
@every_way
async def test_cancelling(api: str, way: str) -> None:
    """The connection is closed at once, the words are kept, and the next exchange works."""
    turns = [[Say("one two three", pace=0.2)], [Say("ok")]]
    async with on_stage(api, *turns, **WAYS[way]) as (server, stage):
        task = asyncio.ensure_future(stage.conversation.exchange("hi"))
        await server.eventually(lambda s: bool(stage.said(ChunkReceived) if way == "streamed" else s.requests))
        await asyncio.sleep(0.02)
        stage.conversation.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert stage.said(Cancelled)
        record = await stage.conversation.exchange("again")
        assert record.state == State.COMPLETED
        await stage.conversation.aclose()
        await server.eventually(lambda s: s.open_connections == 0)
    stage.assert_conforms()
    if way == "streamed":
        assert "one" in str(server.contexts[-1])


@both
async def test_a_slow_start_is_no_failure(api: str) -> None:
    """A model may think before the status line."""
    async with on_stage(api, [Say("ok")], faults=[Delay(0.1)]) as (_, stage):
        assert (await stage.conversation.exchange("hi")).state == State.COMPLETED
