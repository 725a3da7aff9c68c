"""What can go wrong between us and Google, in both of its APIs: refusals, broken connections, and stopping."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from asstproxy.core.events import ActionRequired, Cancelled, ChunkReceived, ErrorOccurred, Notice, RetryScheduled
from asstproxy.core.script import State
from asstproxy.providers.gemini.generate import GenerateProvider
from asstproxy.providers.gemini.generate_reader import Reader
from asstproxy.providers.gemini.interactions import InteractionsProvider
from asstproxy.providers.transport.http import HttpTransport
from core.stage import Stage
from servers import (
    LEGAL_FRAMINGS,
    BrokenJson,
    Call,
    Cut,
    Delay,
    ErrorEvent,
    Fail,
    Framing,
    Html,
    Redirect,
    Say,
    Split,
    Stall,
    Status,
    UnknownEvent,
    Vanish,
    refused_port,
)

from .gemini_stage import APIS, WAYS, add, bodies, on_stage, text_of

both = pytest.mark.parametrize("api", APIS)
every_way = pytest.mark.parametrize("way", WAYS)


async def failed(stage: Stage) -> ErrorOccurred:
    record = await stage.conversation.exchange("hi")
    stage.assert_conforms()
    assert isinstance(record.event, ErrorOccurred), record
    return record.event


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
    assert [note.delay for note in stage.published(RetryScheduled)] == [0.02, 0.02]


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
        assistant = GenerateProvider(transport, "m") if api == "generate" else InteractionsProvider(transport, "m")
        stage = Stage(assistant=assistant)
        error = await failed(stage)
        await stage.conversation.aclose()
    assert error.kind == "connection"
    assert str(port) in error.message
    assert len(stage.published(RetryScheduled)) == 2


CUTS = [
    Cut(0),
    Cut(1),
    Cut(1, how="reset"),
    Cut(1, how="end"),
    Cut(byte=70),
    Cut(how="reset"),
    BrokenJson(1),
]


@pytest.mark.parametrize("fault", CUTS, ids=str)
async def test_streams_that_break(fault: Any) -> None:
    """A stream that ends without its last chunk is no answer; what was heard is kept."""
    async with on_stage("generate", [Say("one two three")], faults=[fault]) as (_, stage):
        error = await failed(stage)
    assert error.kind in ("connection", "protocol"), error
    assert len(stage.published(RetryScheduled)) == 0


DRESSES = [
    Framing("no_last_blank"),
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


async def test_lines_of_json_instead_of_events() -> None:
    """A stream whose lines lack `data:` is read all the same, at its end."""
    async with on_stage("generate", [Say("one two")], faults=[Framing("no_data_prefix")]) as (_, stage):
        record = await stage.conversation.exchange("hi")
    assert record.event.text == text_of(stage) == "one two"  # type: ignore[union-attr]


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
    assert len(stage.published(RetryScheduled)) == 1


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


async def test_a_server_that_does_not_hang_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream that stays open after its reason to end is given up after a while, and the person is told."""
    monkeypatch.setattr(Reader, "linger", 0.2)
    async with on_stage("generate", [Say("ok")], faults=[Stall(event=99)]) as (_, stage):
        record = await stage.conversation.exchange("hi", timeout=30)
    assert record.state == State.COMPLETED
    assert "left the stream open" in stage.published(Notice)[-1].text


@both
@pytest.mark.parametrize("after", [1, 2])
async def test_a_request_of_a_tool_round_that_fails_is_made_again(api: str, after: int) -> None:
    """With the same results, and no call made twice."""
    turns = [[Call("add", {"a": 1})], [Call("add", {"a": 2})], [Say("ok")]]
    async with on_stage(api, *turns, tools=[add], faults=[Status(503, first=1, skip=after)]) as (server, stage):
        record = await stage.conversation.exchange("hi")
    assert record.state == State.COMPLETED
    assert len(stage.published(ActionRequired)) == 2
    assert bodies(server)[after] == bodies(server)[after + 1]


@both
@every_way
async def test_cancelling(api: str, way: str) -> None:
    """The connection is closed at once, the words are kept, and the next exchange works."""
    turns = [[Say("one two three", pace=0.2)], [Say("ok")]]
    async with on_stage(api, *turns, **WAYS[way]) as (server, stage):
        task = asyncio.ensure_future(stage.conversation.exchange("hi"))
        await server.eventually(lambda s: bool(stage.published(ChunkReceived) if way == "streamed" else s.requests))
        await asyncio.sleep(0.02)
        stage.conversation.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert stage.published(Cancelled)
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
