"""The connection may break, or fall silent, at any byte of an answer: what had come whole is kept, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import cache
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asstproxy import State
from asstproxy.core.events import ErrorOccurred
from servers import Cut, Fault, Say, Stall

from .plain_reading import read_plainly
from .rig import Scene, asked, scene
from .ways import WAYS, Way, matches, way

TEXT = "Grüße, 世界! \N{WAVING HAND SIGN} Schön\u2028ist \N{EARTH GLOBE EUROPE-AFRICA} \\n data: {} zu Ende."
Break = Literal["eof", "reset", "end", "stall"]
BREAKS: tuple[Break, ...] = ("eof", "reset", "end")
EVERY = [way(name) for name in ("gpt", "gemini", "interactions-unstored", "chat-completions", "anthropic")]
SHARES = 4
"""Tests that share the bytes of one answer: they run side by side, one on each worker."""


@cache
def length(way: Way) -> int:
    """The bytes of a whole answer, more or less: some APIs pad theirs."""
    return asyncio.run(_length(way))


async def _length(way: Way) -> int:
    async with scene(way, lambda _: [Say(TEXT)]) as stage:
        await stage.exchange()
        return len(body(stage))


def body(stage: Scene) -> bytes:
    """What went out of the answer to the request that asks."""
    pairs = zip(stage.server.requests, stage.server.sent, strict=True)
    return next(bytes(sent) for request, sent in pairs if matches(stage.way, request))


async def broken(way: Way, byte: int, how: Break) -> None:
    """One exchange whose answer breaks there, and the law."""
    fault: Fault = Stall(byte=byte, on=way.asks) if how == "stall" else Cut(byte=byte, how=how, on=way.asks)
    silence = 0.3 if how == "stall" else 10.0
    async with scene(way, lambda _: [Say(TEXT)], silence=silence) as stage:
        stage.server.faults.add(fault)
        settled = await stage.exchange()  # which compares what was published with what is on disk
        assert asked(way, stage.server) == 1
        sent = body(stage)
        assert len(sent) <= byte
        if way.stream:
            said = read_plainly(sent)
            whole = said.over or (way.resumes and said.events > 0)  # it is known by its id, and taken up
            expected = TEXT if whole else said.text
        else:
            whole = sent.endswith(b"}") and sent.count(b"{") == sent.count(b"}")
            expected = TEXT if whole else ""
        assert settled.state is (State.COMPLETED if whole else State.ERROR), settled.event
        if isinstance(settled.event, ErrorOccurred):
            kinds = {"stall": "timeout", "end": "connection" if way.stream else "protocol"}
            assert settled.event.kind == kinds.get(how, "connection")
        assert stage.pieces() == (expected if way.stream else "")


@pytest.mark.parametrize("way", WAYS, ids=str)
@given(data=st.data())
@settings(max_examples=15)
def test_cut_at_any_byte(way: Way, data: st.DataObject) -> None:
    """By a FIN, a reset, or as if all were said: the pieces in the journal are those that came whole, to the last one."""
    byte = data.draw(st.integers(0, length(way) + 8), "byte")
    asyncio.run(broken(way, byte, data.draw(st.sampled_from(BREAKS), "how")))


@pytest.mark.parametrize("way", WAYS, ids=str)
@given(data=st.data())
@settings(max_examples=3)
def test_stall_at_any_byte(way: Way, data: st.DataObject) -> None:
    """Silence is an error after a while, with the same law."""
    asyncio.run(broken(way, data.draw(st.integers(0, length(way) + 8), "byte"), "stall"))


@pytest.mark.slow(reason="an exchange for each of some thousands of bytes")
@pytest.mark.parametrize("first", range(SHARES))
@pytest.mark.parametrize("way", EVERY, ids=str)
def test_cut_at_every_byte(way: Way, first: int, record_property: Callable[[str, object], None]) -> None:
    """Not any byte, but every one (the tests share them); the breaks take turns."""
    places = length(way) + 1
    for byte in range(first, places, SHARES):
        asyncio.run(broken(way, byte, BREAKS[byte % len(BREAKS)]))
    record_property(
        "figure", f"{way}: broken at each of the {places} bytes of an answer, nothing lost and nothing more"
    )
