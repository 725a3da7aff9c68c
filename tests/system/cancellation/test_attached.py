"""An exchange that was taken up again can be stopped at every await, too."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from itertools import count
from typing import Any

import pytest

from asstproxy.core.events import Cancelled, Event, Heartbeat, Record, SetUserMessage, Started
from asstproxy.core.script import STEPS, State
from asstproxy.providers.transport.http import HttpTransport
from servers import Status

from .awaits import counting
from .ways import KEY, WAYS, WITHIN, Way, check

GPT = {"model": "gpt-6-luna", "input": "go", "background": True}
GEMINI = {"model": "gemini-3.8-flash", "input": "go", "background": True}
TAKEN_UP = [way for way in WAYS if way.cancels]


async def left_behind(way: Way, server: Any) -> list[Record]:
    """What a process that died has left: a run at the provider, and a journal that names it."""
    token: dict[str, Any]
    if way.provider == "gemini":
        transport = HttpTransport(f"{server.url}/v1beta", {"x-goog-api-key": KEY})
        token = {"running": (await transport.call("POST", "/interactions", GEMINI))["id"]}
    elif way.provider == "assistants":
        beta = {"OpenAI-Beta": "assistants=v2"}
        transport = HttpTransport(server.base_url, {"Authorization": f"Bearer {KEY}"}, plain_headers=beta)
        said_first = {"messages": [{"role": "user", "content": "go"}]}
        token = {"thread": (await transport.call("POST", "/threads", said_first))["id"], "told": []}
        path, body = f"/threads/{token['thread']}/runs", {"assistant_id": server.assistant}
        if way.options.get("stream", True):
            async with aclosing(transport.events("POST", path, body | {"stream": True})) as events:
                token |= {"run": (await anext(events))[0]["id"], "text": 0}
        else:
            token |= {"run": (await transport.call("POST", path, body))["id"]}
    else:
        transport = HttpTransport(f"{server.url}/v1", {"Authorization": f"Bearer {KEY}"})
        if way.options.get("stream", True):
            async with aclosing(transport.events("POST", "/responses", GPT | {"stream": True})) as events:
                first = (await anext(events))[0]
            token = {"response": first["response"]["id"], "sequence": first["sequence_number"], "text": 0}
        else:
            token = {"response": (await transport.call("POST", "/responses", GPT))["id"]}
    await transport.aclose()
    said: list[Event] = [SetUserMessage("go"), Started(way.provider, GPT["model"]), Heartbeat("queued", token)]  # type: ignore[arg-type]
    return [Record(n, "", State(STEPS[event.type].dest), event) for n, event in enumerate(said, 1)]


@pytest.mark.parametrize("way", TAKEN_UP, ids=str)
async def test_it_is_stopped_at_every_await(way: Way) -> None:
    """The provider is told, what was heard is kept, and the next exchange is accepted."""
    stopped, over = 0, 0
    with way.serve() as server:
        for at in count(1):
            async with way.talk(server, past=await left_behind(way, server)) as stage:
                with counting(at, stage.conversation.cancel) as awaits:
                    exchange = asyncio.create_task(stage.conversation.attach())
                    await asyncio.wait({exchange}, timeout=20)
                    late = asyncio.get_running_loop().time() - awaits.acted_at
                assert exchange.done(), f"await {at}: it goes on"
                if exchange.cancelled():
                    assert stage.records[-1].event == Cancelled("user"), f"await {at}"
                    assert late < WITHIN, f"await {at}: {late:.1f} s"
                    stopped += 1
                else:
                    assert exchange.result().state is State.COMPLETED, f"await {at}: {stage.records[-1]}"
                await check(stage, server, f"await {at}", taken_up=True)
            over = 0 if awaits.acted else over + 1
            if over == 5:
                break
    assert stopped > 20


@pytest.mark.parametrize("way", TAKEN_UP, ids=str)
async def test_a_failure_that_passes_does_not_stop_it(way: Way) -> None:
    """The provider is not told to stop what is asked for again in a moment."""
    with way.serve() as server:
        past = await left_behind(way, server)
        server.faults.add(Status(503, on="^GET", first=1))
        async with way.talk(server, past=past) as stage:
            assert (await stage.conversation.attach()).state is State.COMPLETED
    assert not [request for request in server.requests if request.path.endswith("/cancel")]


@pytest.mark.parametrize("way", TAKEN_UP, ids=str)
async def test_when_it_is_given_up_the_provider_is_told(way: Way) -> None:
    """An exchange whose deadline passes while every poll fails is never taken up again: nobody waits for that answer any more."""
    with way.serve() as server:
        past = await left_behind(way, server)
        server.faults.add(Status(503, on="^GET"))
        async with way.talk(server, past=past) as stage:
            assert (await stage.conversation.attach(timeout=1.0)).event == Cancelled("timeout")
    assert [request for request in server.requests if request.path.endswith("/cancel")]
