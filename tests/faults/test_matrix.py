"""Whatever a server does, an exchange settles, keeps what it received, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import threading

import pytest

from asstproxy import Conversation, Options, Patience, State, conform
from asstproxy.core.events import AssistantMessageRetrieved, ChunkReceived, ErrorOccurred, Record
from asstproxy.core.script import SETTLED
from servers import Fault, Say

from .matrix import AGAIN, CASES, WAYS, Case, Way

KEY = "sk-test-0123456789abcdef"
TEXT = "one two three four five six"
PATIENCE = Patience(heartbeat=0.2, attempts=AGAIN, delay=0.01, longest=5.0)
PAIRS = [(way, case) for way in WAYS for case in CASES if way.stream or not case.streamed_only]


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_KEY", KEY)


@pytest.mark.parametrize(("way", "case"), PAIRS, ids=str)
async def test_exchange_settles_as_the_table_says(way: Way, case: Case) -> None:
    """The state, the kind of error, the records, the requests, the next exchange: all as promised."""
    threads = threading.active_count()
    with way.open(lambda _: [Say(TEXT)], KEY) as (server, assistant):
        tasks = asyncio.all_tasks()
        heard: list[Record] = []
        conversation = Conversation(assistant, options=Options(stream=way.stream, patience=PATIENCE))
        conversation.subscribe(heard.append)
        server.faults.add(case.fault)
        async with asyncio.timeout(20):
            settled = await conversation.exchange("hello")
        _check(case, settled, heard)
        assert len(server.requests) <= case.requests, [str(request) for request in server.requests]
        server.faults.clear()
        async with asyncio.timeout(20):
            again = await conversation.exchange("and now?")
        assert again.state is State.COMPLETED, again.event
        assert not list(conform(heard))
        await conversation.aclose()
        await _nothing_left(tasks)
        await server.eventually(lambda server: server.open_connections == 0)
    assert threading.active_count() <= threads + 1  # the server's own thread may still be ending


async def _nothing_left(before: set[asyncio.Task[object]]) -> None:
    # A generator inside of an HTTP library that nobody closed is closed by a task of the loop's own, at once.
    async with asyncio.timeout(2):
        while not asyncio.all_tasks() <= before:  # noqa: ASYNC110 - a loop tells nobody when a task ends
            await asyncio.sleep(0.01)


def _check(case: Case, settled: Record, heard: list[Record]) -> None:
    assert settled.state in SETTLED
    received = "".join(record.event.text for record in heard if isinstance(record.event, ChunkReceived))
    match settled.event:
        case ErrorOccurred(kind=kind, message=message):
            assert case.ends in ("error", "settled", "error or resumed"), message
            assert not case.kinds or kind in case.kinds, f"{kind}: {message}"
            assert kind != "internal", message
            assert "\n" not in message
            assert KEY not in message
        case AssistantMessageRetrieved(text=text):
            assert case.ends in ("completed", "settled", "error or resumed")
            assert case.ends == "settled" or text == TEXT
            assert case.ends == "settled" or received in ("", TEXT)
        case other:
            assert case.ends == "settled", other


@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize("fault", [Fault()], ids=["none"])
async def test_without_a_fault_the_answer_is_whole(way: Way, fault: Fault) -> None:
    """The matrix' own zero: every way of asking gives the whole answer."""
    with way.open(lambda _: [Say(TEXT)], KEY) as (_, assistant):
        conversation = Conversation(assistant, options=Options(stream=way.stream))
        settled = await conversation.exchange("hello")
        await conversation.aclose()
    assert isinstance(settled.event, AssistantMessageRetrieved)
    assert settled.event.text == TEXT
