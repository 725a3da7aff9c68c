"""`gpt` against a local server that follows OpenAI's protocol, and breaks it on request."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from typing import Any

import pytest
from openai import AsyncOpenAI

from asstproxy.core.codec import decode, encode
from asstproxy.core.events import AssistantMessageRetrieved, ChunkReceived, Configured, Heartbeat, Notice
from asstproxy.core.script import State
from asstproxy.providers.openai.provider import ResponsesProvider
from asstproxy.providers.openai.sdk_transport import OpenAITransport
from asstproxy.providers.transport.http import HttpTransport
from asstproxy.testing import ProviderClient
from core.stage import Stage, stopped
from core.test_tool_rounds import add
from servers import Background, Call, Cut, Incomplete, Output, ResponsesServer, Say, Stall, Status, Think, Wait

from .gpt_stage import ASKED, Gpt, asked, script


async def test_nothing_is_sent_that_was_not_asked_for(server: ResponsesServer, gpt: Gpt) -> None:
    """Nothing is stored, and every setting but `store` is the provider's own default until the user sets it."""
    stage = gpt()
    await stage.conversation.exchange("hi")
    stage.conversation.configure(Configured(instructions="Be brief.", settings={"temperature": 0.5, "store": True}))
    await stage.conversation.exchange("again")
    first, second = asked(server)
    assert first.keys() == {"model", "input", "tools", "store", "stream"}
    assert (first["model"], first["store"], first["stream"]) == ("gpt-6-luna", False, True)
    assert second.keys() - first.keys() == {"instructions", "temperature"}
    assert second["store"] is True


WAYS: list[dict[str, Any]] = [
    {},
    {"history": "server"},
    {"transport": "sdk"},
    {"options": {"stream": False}},
    {"options": {"background": True}},
]


@pytest.mark.parametrize("way", WAYS, ids=str)
async def test_what_the_model_thought_goes_back_unchanged(
    way: dict[str, Any], server: ResponsesServer, gpt: Gpt
) -> None:
    """Reasoning items and phases, within an exchange, in the next one, and from a journal; the server checks them."""
    thought = [Think("I need a sum."), Say("Let me see.", phase="commentary"), Call("add", {"a": 1})]
    script(server, thought, [Think("3"), Say("It is 3.", phase="final_answer")], [Say("Sure.")], [Say("Bye.")])
    stage = gpt(**way)
    for text in ("1 + 2?", "really?"):
        assert (await stage.conversation.exchange(text)).state is State.COMPLETED
    stage = gpt([decode(encode(record)) for record in stage.records], **way)
    assert (await stage.conversation.exchange("bye")).state is State.COMPLETED
    kinds = [(item["type"], item.get("phase")) for item in server.contexts[-1]]
    assert kinds[1:6] == [
        ("reasoning", None),
        ("message", "commentary"),
        ("function_call", None),
        ("function_call_output", None),
        ("reasoning", None),
    ]
    assert kinds[6] == ("message", "final_answer")


async def test_a_conversation_at_openai_is_taken_up_again(server: ResponsesServer, gpt: Gpt) -> None:
    """Its id is in the journal; who reads that sends only what is new."""
    old = gpt(history="server")
    await old.conversation.exchange("first")
    new = gpt([decode(encode(record)) for record in old.records], history="server")
    assert (await new.conversation.exchange("second")).state is State.COMPLETED
    assert len(asked(server, "/v1/conversations")) == 1
    first, second = asked(server)
    assert first["conversation"] == second["conversation"] == new.records[-1].event.resume["conversation"]  # type: ignore[union-attr]
    assert len(second["input"]) == 1
    assert "store" not in second


SUM: list[Output] = [Call("add", {"a": 1})]
BROKEN: dict[str, tuple[list[list[Output]], dict[str, Any]]] = {
    "stopped in the answer": ([[Say("It is"), Wait(60)]], {}),
    "stopped in silence": ([[Wait(60)]], {}),
    "stopped after a tool": ([SUM, [Say("It is"), Wait(60)]], {}),
    "a call that was cut off": ([[Say("It is"), *SUM, Incomplete()]], {}),
    "too many rounds": ([SUM, SUM], {"max_tool_rounds": 1}),
    "failed": ([SUM, [Say("It is")]], {}),
}


@pytest.mark.parametrize("how", BROKEN)
@pytest.mark.parametrize("history", ["client", "server"])
async def test_after_a_broken_exchange_the_next_one_works(
    how: str, history: str, server: ResponsesServer, gpt: Gpt
) -> None:
    """Nothing dangles, neither in what we send nor at the server, and the model knows what was said."""
    turns, options = BROKEN[how]
    script(server, [Say("Hello.")], *turns, [Say("Fine.")])
    stage = gpt(history=history, options=options)
    await stage.conversation.exchange("hi")
    if how == "failed":
        server.faults.add(Cut(event="response.output_item.done", skip=1, on=ASKED))
    exchange = asyncio.create_task(stage.conversation.exchange("1 + 2?"))
    if how.startswith("stopped"):
        text = "Hello." + ("It is" if "It is" in str(turns) else "")

        def there_is_no_more(server: ResponsesServer) -> bool:
            received = "".join(chunk.text for chunk in stage.published(ChunkReceived))
            return len(asked(server)) == 1 + len(turns) and received == text

        await server.eventually(there_is_no_more)
        stage.conversation.cancel()
    await asyncio.wait({exchange})
    assert stage.records[-1].state is not State.COMPLETED
    server.faults.clear()
    assert (await stage.conversation.exchange("go on")).event.text == "Fine."  # type: ignore[union-attr]
    texts = [part["text"] for item in server.contexts[-1] if item["type"] == "message" for part in item["content"]]
    assert (texts[0], texts[-1]) == ("hi", "go on")
    assert ("It is" in texts) == ("It is" in str(turns))


async def test_a_long_history_is_taken_to_the_server(server: ResponsesServer, gpt: Gpt) -> None:
    """OpenAI takes twenty items at once; all of them arrive, in their order."""
    stage = gpt()
    for n in range(13):
        await stage.conversation.exchange(f"message {n}")
    stage = gpt(stage.records, history="server")
    stage.conversation.cut_history(13)
    assert (await stage.conversation.exchange("the last")).state is State.COMPLETED
    users = [item["content"][0]["text"] for item in server.contexts[-1] if item["role"] == "user"]
    assert users == [*(f"message {n}" for n in range(13)), "the last"]


async def test_one_connection_serves_a_whole_conversation(server: ResponsesServer) -> None:
    """A stream is read to its end, so that the next request, in a tool round too, need not connect again."""
    script(server, [Say("Hello.")], SUM, [Say("3")])
    transport = HttpTransport(server.base_url, {"Authorization": f"Bearer {server.key}"}, reuse=True)
    stage = Stage(assistant=ResponsesProvider(transport, provider="gpt", model="gpt-6-luna"), tools=[add])
    await stage.conversation.exchange("hi")
    await stage.conversation.exchange("1 + 2?")
    await stage.conversation.aclose()
    assert (len(asked(server)), server.connections) == (3, 1)


@pytest.mark.parametrize("transport", ["http", "sdk"])
async def test_a_plain_text_connection_serves_once(transport: str, server: ResponsesServer, gpt: Gpt) -> None:
    """llama.cpp hangs up after a stream without saying so, and the next request would meet a closed door."""
    stage = gpt(transport=transport)
    await stage.conversation.exchange("hi")
    await stage.conversation.exchange("again")
    assert [request.headers["connection"] for request in server.requests] == ["close", "close"]
    assert server.connections == 2


@pytest.mark.parametrize("own", [True, False])
async def test_a_caller_s_client_is_left_open(own: bool, server: ResponsesServer) -> None:
    """Only a client that was handed over is closed with the proxy."""
    async with AsyncOpenAI(base_url=server.base_url, api_key=server.key) as client:
        await OpenAITransport(client, own=own).aclose()
        assert client.is_closed() is own


async def test_no_text_is_too_strange(server: ResponsesServer, gpt: Gpt) -> None:
    """Half a character, as a terminal may give, is sent as U+FFFD."""
    stage = gpt()
    last = await stage.conversation.exchange("half \ud83d, line \u2028, nothing \x00")
    assert last.event == AssistantMessageRetrieved("You said: half \ufffd, line \u2028, nothing \x00")


async def test_a_background_response_is_polled(server: ResponsesServer, gpt: Gpt) -> None:
    """Each poll is a heartbeat with the provider's status and the response's id; what has ended is not cancelled."""
    server.background = Background(queued=2, running=2)
    stage = gpt(options={"background": True, "stream": False})
    assert (await stage.conversation.exchange("hi")).state is State.COMPLETED
    beats = stage.published(Heartbeat)
    assert [beat.status for beat in beats] == ["queued", "queued", "queued", "in_progress", "in_progress"][: len(beats)]
    assert {"queued", "in_progress"} == {beat.status for beat in beats}
    assert all(beat.resume["response"].startswith("resp_") for beat in beats)
    assert not asked(server, f"/v1/responses/{beats[0].resume['response']}/cancel")


@pytest.mark.parametrize("how", ["cancelled", "closed"])
async def test_stopping_tells_the_server(how: str, server: ResponsesServer, gpt: Gpt) -> None:
    """The server has heard it when the exchange has ended, or when the iterator is closed."""
    script(server, [Wait(60)])
    stage = gpt(options={"background": True, "stream": False})
    if how == "cancelled":
        assert (await stopped(stage, "heartbeat")).state is State.CANCELLED
    else:
        client = ProviderClient(stage.conversation.assistant, stage.conversation.options)
        async with aclosing(stage.conversation.assistant.start_processing(client.turn("hi"))) as events:  # type: ignore[type-var]
            while not isinstance(await anext(events), Heartbeat):
                pass
    assert server.requests[-1].path.endswith("/cancel")
    await server.eventually(lambda server: all(s.response["status"] == "cancelled" for s in server.responses.values()))


async def test_a_server_that_does_not_hear_holds_up_nobody(server: ResponsesServer, gpt: Gpt) -> None:
    """Telling it takes two seconds at the most."""
    script(server, [Wait(60)])
    server.faults.add(Stall(on="/cancel"))
    stage = gpt(options={"background": True, "stream": False})
    began = time.monotonic()
    await stopped(stage, "heartbeat")
    assert 2.0 <= time.monotonic() - began < 20


async def test_a_poll_that_fails_is_not_the_end(server: ResponsesServer, gpt: Gpt) -> None:
    """It is polled again, and the request is not sent twice."""
    server.faults.add(Status(500, on="GET /v1/responses/", first=2), Cut(on="GET /v1/responses/", skip=2, first=1))
    stage = gpt(options={"background": True, "stream": False})
    assert (await stage.conversation.exchange("hi")).state is State.COMPLETED
    assert len(asked(server)) == 1


def polls(server: ResponsesServer) -> int:
    """How often it was asked what has become of the answer."""
    return sum(request.method == "GET" for request in server.requests)


@pytest.mark.parametrize("status", [500, 404])
async def test_polls_that_fail_for_good_are(status: int, server: ResponsesServer, gpt: Gpt) -> None:
    """The request is not sent twice, and the server is told that nobody waits any more.

    What may pass is asked again, with growing pauses, until the deadline of the exchange; the person is told so once.
    """
    server.faults.add(Status(status, on="GET /v1/responses/"))
    stage = gpt(options={"background": True, "stream": False})
    exchange = asyncio.create_task(stage.conversation.exchange("hi"))
    if status == 500:
        await asyncio.wait({exchange}, timeout=1.2)
        await server.eventually(lambda server: polls(server) > 4)
        stage.conversation.cancel()
    await asyncio.wait({exchange})
    assert stage.conversation.state is (State.CANCELLED if status == 500 else State.ERROR)
    assert len(asked(server)) == 1
    assert len(stage.published(Notice)) == (1 if status == 500 else 0)
    assert (4 < polls(server) < 40) if status == 500 else polls(server) == 1
    assert server.requests[-1].path.endswith("/cancel")
