"""A fault after the tools have run: they do not run again, and no call is left without its result."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from asstproxy import State
from asstproxy.core.events import ToolFinished, ToolStarted
from servers import Call, Cut, ErrorEvent, Html, Output, Say, Stall, Status

from .matrix import TAKEN_UP
from .outcomes import AGAIN, MIDDLE, PART, TEXT, Case, fails, works
from .rig import asked, scene
from .ways import WAYS, Way

LOOKED_UP = {"assistants*": works(posts=2)}
"""A run that waits for the results may have them, though nobody has said so."""
ROUNDS = [  # of the request that brings the outputs; the one before it is counted, too
    Case(Cut(), fails("connection", 2), LOOKED_UP),
    Case(Stall(), fails("timeout", 2), LOOKED_UP),
    Case(Status(401), fails("authentication", 2)),
    Case(Status(500), fails("server", 1 + AGAIN)),
    Case(Status(500, first=1), works(posts=3)),
    Case(Status(429, retry_after=300.0), fails("rate_limit", 2)),
    Case(Html(), fails("protocol", 2)),
    Case(
        Cut(MIDDLE),
        fails("connection", 2, PART),
        {name: replace(outcome, posts=2) for name, outcome in TAKEN_UP.items()},
        "stream",
    ),
    Case(ErrorEvent(MIDDLE), fails("server", 2, PART), of="stream"),
]
PAIRS = [(way, case) for way in WAYS for case in ROUNDS if case.applies(way)]
OUTPUTS = ("function_call_output", "function_result", "functionResponse", '"tool"')


def brain(request: dict[str, Any]) -> list[Output]:
    """Wants the tool when it is greeted, and says the text when it has the output, or is asked anything else."""
    items = request.get("input") or request.get("contents") or request.get("messages")
    assert isinstance(items, list)
    last = json.dumps(items[-1])
    wants = "hello" in last and not any(mark in last for mark in OUTPUTS)
    return [Call("add", {"a": 1, "b": 2})] if wants else [Say(TEXT)]


@pytest.mark.parametrize(("way", "case"), PAIRS, ids=str)
async def test_a_fault_after_the_tools(way: Way, case: Case) -> None:
    """It settles as the table says, the tool ran once, and the server, which refuses open calls, takes the next message."""
    ran: list[tuple[int, int]] = []

    def add(a: int, b: int) -> int:
        """Add two numbers."""
        ran.append((a, b))
        return a + b

    silence = 0.3 if isinstance(case.fault, Stall) else 10.0
    async with scene(way, brain, add, silence=silence) as stage:
        stage.server.faults.add(replace(case.strikes(way.later), skip=1))
        settled = await stage.exchange()
        stage.assert_outcome(settled, case.expected(way))
        assert ran == [(1, 2)]
        assert [len(stage.published(kind)) for kind in (ToolStarted, ToolFinished)] == [1, 1]
        before = asked(way, stage.server)
        stage.server.faults.clear()
        again = await stage.exchange("and now?")
        assert again.state is State.COMPLETED, again.event
        assert asked(way, stage.server) == before + 1
        assert ran == [(1, 2)]
