"""A server that works in the background is told to stop, and holds up nobody while it is."""

from __future__ import annotations

import asyncio
import re
import threading
from dataclasses import dataclass
from typing import Any

import pytest

from asstproxy.core.events import Cancelled, Heartbeat
from core.stage import Stage
from servers import Background, Delay, Fault, Stall
from servers.positions import Pieces
from servers.vendors import Vendor
from servers.wire import Reply

from .ways import WAYS, WITHIN, Way, check, forget

TOLD = [way for way in WAYS if way.cancels]
CREATE = r"^POST .*/(responses|interactions|runs)$"


@dataclass(frozen=True)
class Held(Fault):
    """The body of the answer comes when `free` is set."""

    free: threading.Event

    def change(self, reply: Reply, vendor: Vendor) -> Reply:
        return reply.through(self._wait, same_length=True)

    async def _wait(self, pieces: Pieces) -> Pieces:
        while not self.free.is_set():  # noqa: ASYNC110 - it is set in another thread
            await asyncio.sleep(0.005)
        async for piece in pieces:
            yield piece


async def begun(stage: Stage, server: Any, *, named: bool) -> asyncio.Task[Any]:
    """An exchange whose request is at the server; `named`: and whose run's name we know."""
    exchange = asyncio.create_task(stage.conversation.exchange("go"))
    await server.eventually(lambda server: any(re.search(CREATE, str(request)) for request in server.requests))
    while named and not stage.published(Heartbeat):  # noqa: ASYNC110 - the records set no event
        await asyncio.sleep(0.005)
    return exchange


async def stopped(stage: Stage, exchange: asyncio.Task[Any], free: threading.Event | None = None) -> float:
    """Cancel an exchange, then let the server answer; the seconds that it takes to settle."""
    began = asyncio.get_running_loop().time()
    stage.conversation.cancel()
    if free:
        free.set()
    await asyncio.wait({exchange})
    assert exchange.cancelled()
    assert stage.records[-1].event == Cancelled("user")
    return asyncio.get_running_loop().time() - began


@pytest.mark.parametrize("way", TOLD, ids=str)
async def test_what_has_begun_is_stopped_even_if_we_do_not_know_it_yet(way: Way) -> None:
    """Stopped while the answer that names the run is on its way, the exchange waits for the name and tells the server."""
    with way.serve(background=Background(queued_seconds=60)) as server:
        free = threading.Event()
        server.faults.add(Held(free, on=CREATE, first=1))
        async with way.talk(server) as stage:
            assert await stopped(stage, await begun(stage, server, named=False), free) < WITHIN
            assert stage.published(Heartbeat) == []
            assert str(server.requests[-1]).endswith("/cancel")
            server.background = Background()
            await check(stage, server, "after it")


@pytest.mark.parametrize("way", TOLD, ids=str)
@pytest.mark.parametrize(
    "faults",
    [
        [Stall(on="/cancel$")],
        [Stall(on=CREATE, first=1)],
        [Delay(1.0, on=CREATE, first=1), Stall(on="/cancel$")],
    ],
    ids=["cancel", "create", "both"],
)
async def test_a_server_that_does_not_answer_holds_up_nobody(way: Way, faults: list[Fault]) -> None:
    """Two seconds at the most in all, whichever request hangs; the next exchange is asked for at once."""
    with way.serve(background=Background(queued_seconds=60)) as server:
        server.faults.add(*faults)
        async with way.talk(server) as stage:
            took = await stopped(stage, await begun(stage, server, named=len(faults) == 1 and not faults[0].first))
            assert 1.5 < took < WITHIN
            server.faults.clear()
            server.background = Background()
            forget(server)
            await check(stage, server, "after it")


@pytest.mark.parametrize("way", TOLD, ids=str)
@pytest.mark.parametrize("on", [CREATE, "/cancel$"], ids=["create", "cancel"])
async def test_a_second_cancellation_waits_for_nobody(way: Way, on: str) -> None:
    """Who cancels again while the server is being told does not wait for it any longer."""
    with way.serve(background=Background(queued_seconds=60)) as server:
        server.faults.add(Stall(on=on))
        async with way.talk(server) as stage:
            exchange = await begun(stage, server, named=on != CREATE)
            stage.conversation.cancel()
            await asyncio.sleep(0.05)
            assert not exchange.done()
            stage.conversation.cancel()
            await asyncio.wait({exchange}, timeout=1)
            assert exchange.cancelled()
            server.faults.clear()
            forget(server)
            server.background = Background()
            await check(stage, server, "after it")
