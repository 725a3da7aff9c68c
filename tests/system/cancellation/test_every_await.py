"""An exchange may be stopped at every await there is, and nothing of it stands in the way of the next one."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from itertools import count

import pytest

from asstproxy.core.events import Cancelled
from asstproxy.core.script import State

from .awaits import counting
from .ways import WAYS, WITHIN, Way, check


@pytest.mark.parametrize("way", WAYS, ids=str)
async def test_an_exchange_can_be_stopped_at_every_await(
    way: Way, record_property: Callable[[str, object], None]
) -> None:
    """It settles in time, keeps what was heard, leaves nothing behind, and the next exchange is accepted."""
    stopped: Counter[State] = Counter()
    waiting = 0
    over = 0  # runs in a row that had fewer awaits: how the network cuts an answer into pieces is never quite the same
    with way.serve() as server:
        for at in count(1):
            server.faults.add(*way.faults)
            async with way.talk(server) as stage:
                with counting(at, stage.conversation.cancel) as awaits:
                    exchange = asyncio.create_task(stage.conversation.exchange("go"))
                    await asyncio.wait({exchange}, timeout=20)
                    late = asyncio.get_running_loop().time() - awaits.acted_at
                assert exchange.done(), f"await {at}: it goes on"
                if exchange.cancelled():
                    assert stage.records[-1].event == Cancelled("user"), f"await {at}"
                    assert late < WITHIN, f"await {at}: {late:.1f} s"
                    stopped[stage.records[-2].state] += 1
                    waiting += stage.records[-2].event.type == "retry_scheduled"
                else:  # it was over before
                    assert exchange.result().state is State.COMPLETED, f"await {at}: {stage.records[-1]}"
                await check(stage, server, f"await {at}")
            over = 0 if awaits.acted else over + 1
            if over == 5:
                break
    tried = sum(stopped.values())
    assert way.passes <= set(stopped)
    assert (waiting > 0) == bool(way.faults)
    record_property("figure", f"{way}: stopped at each of {tried} awaits; the next exchange worked every time")


@pytest.mark.parametrize("way", WAYS, ids=str)
async def test_an_exchange_may_run_out_of_time_at_any_moment(way: Way) -> None:
    """A time limit, however short, settles it as cancelled; the rest is as if a person had done it."""
    stopped: Counter[State] = Counter()
    with way.serve() as server:
        for step in range(16):
            server.faults.add(*way.faults)
            async with way.talk(server) as stage:
                began = asyncio.get_running_loop().time()
                last = await stage.conversation.exchange("go", timeout=step * 0.01)
                assert asyncio.get_running_loop().time() - began < step * 0.01 + WITHIN
                assert last.event == Cancelled("timeout") or last.state is State.COMPLETED, f"{step}: {last}"
                stopped[last.state] += 1
                await check(stage, server, f"after {step} steps of time")
    assert stopped[State.CANCELLED] > 1
