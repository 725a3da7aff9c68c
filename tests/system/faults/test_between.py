"""The requests around the one that asks: what fails there costs no second answer, and leaves nothing running."""

from __future__ import annotations

import asyncio
import re

import pytest

from asstproxy import State
from asstproxy.core.events import Cancelled, ChunkReceived, Heartbeat, Record
from servers import Cut, Fault, Html, Redirect, Say, Stall, Status, Wait

from .between import CANCEL, ENDLESS, LOOK, ROWS, Between
from .outcomes import PART, TEXT
from .rig import WITHIN, Scene, asked, scene
from .ways import Way, way

BACKGROUND = [
    way("gpt-background"),
    way("gpt-polled"),
    way("interactions-polled"),
    way("assistants"),
    way("assistants-polled"),
]
SECONDS = 2.0
"""What a provider gets for hearing that it is to stop; a busy machine gets as much again."""


@pytest.mark.parametrize(("way", "row"), [(row.way, row) for row in ROWS], ids=str)
async def test_what_is_around_the_question(way: Way, row: Between) -> None:
    """The outcome, and how often each request was sent; the next exchange works."""
    silence = 0.3 if any(isinstance(fault, Stall) for fault in row.faults) else 10.0
    async with scene(way, lambda _: [Say(TEXT)], silence=silence) as stage:
        stage.server.faults.add(*row.faults)
        stage.assert_outcome(await stage.exchange(), row.outcome)
        for pattern, times in row.counts.items():
            assert sent(stage, pattern) == times, [str(request) for request in stage.server.requests]
        stage.server.faults.clear()
        assert (await stage.exchange("and now?")).state is State.COMPLETED


@pytest.mark.parametrize(("way", "row"), [(row.way, row) for row in ENDLESS], ids=str)
async def test_looks_that_fail_for_good(way: Way, row: Between) -> None:
    """It is looked again until the deadline of the exchange; the answer is asked for, and stopped, once; the next works."""
    silence = 0.1 if any(isinstance(fault, Stall) for fault in row.faults) else WITHIN
    async with scene(way, lambda _: [Say(TEXT)], silence=silence) as stage:
        stage.server.faults.add(*row.faults)
        async with asyncio.timeout(WITHIN):
            settled = await stage.conversation.exchange("hello", timeout=2.0)
        assert settled.event == Cancelled("timeout")
        assert sent(stage, LOOK) >= 4
        assert (asked(way, stage.server), sent(stage, CANCEL)) == (1, 1)
        stage.server.faults.clear()
        stage.calm = True
        assert (await stage.exchange("and now?")).state is State.COMPLETED


@pytest.mark.parametrize(
    "fault", [None, Stall(), Cut(), Cut(how="reset"), Status(500), Html(), Redirect("/x")], ids=str
)
@pytest.mark.parametrize("way", BACKGROUND, ids=str)
async def test_a_cancel_call_that_fails(way: Way, fault: Fault | None) -> None:
    """It is made once; the exchange ends as cancelled all the same, and soon, with what it had; the next one works."""
    async with scene(way, lambda _: [Say(PART), Wait(60)]) as stage:
        if fault is not None:
            stage.server.faults.add(type(fault)(**{**vars(fault), "on": CANCEL}))
        stage.conversation.subscribe(lambda record: stage.conversation.cancel() if ripe(way, record, stage) else None)
        loop = asyncio.get_running_loop()
        stopped = loop.time()
        with pytest.raises(asyncio.CancelledError):
            await stage.exchange()
        assert loop.time() - stopped < 2 * SECONDS
        assert stage.conversation.state is State.CANCELLED
        assert stage.pieces() == (PART if way.stream else "")
        assert (asked(way, stage.server), sent(stage, CANCEL)) == (1, 1)
        stage.server.faults.clear()
        stage.server.brain = lambda _: [Say(TEXT)]
        stage.calm = True
        assert (await stage.exchange("and now?")).state is State.COMPLETED


def ripe(way: Way, record: Record, stage: Scene) -> bool:
    """Whether the exchange is now far enough to be cancelled: all of the text is there, or it was polled."""
    if stage.calm:
        return False
    heard = isinstance(record.event, ChunkReceived) and stage.pieces() == PART
    return heard if way.stream else isinstance(record.event, Heartbeat) and record.event.resume is not None


def sent(stage: Scene, pattern: str) -> int:
    """How often a request was sent."""
    return sum(re.search(pattern, str(request)) is not None for request in stage.server.requests)
