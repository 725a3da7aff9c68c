"""What the tests of this folder share: an exchange in a session on disk, and what must hold of it however it ended."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from asstproxy import Conversation, Options, RetryPolicy, Store, UserProxy, conform
from asstproxy.core.events import ChunkReceived, Configured, ErrorOccurred, Event, Record
from asstproxy.core.roles import AssistantProxy
from asstproxy.core.script import SETTLED, State
from servers import Server

from .outcomes import AGAIN, Outcome
from .ways import KEY, Way, matches

__all__ = ["RETRY", "Scene", "asked", "nothing_left", "scene"]

RETRY = RetryPolicy(attempts=AGAIN, delay=0.01, max_delay=5.0)
WITHIN = 20.0
"""Seconds in which an exchange must settle, on a machine that others use, too."""


@dataclass
class Scene:
    """A conversation with its session, everything that was heard in it, and the server."""

    way: Way
    server: Any
    conversation: Conversation
    session: str
    records: list[Record] = field(default_factory=list)
    calm: bool = False  # for a test that disturbs only the first exchange

    async def exchange(self, text: str = "hello") -> Record:
        """One exchange; what it left on disk is checked against what was published."""
        begin = len(self.records)
        async with asyncio.timeout(WITHIN):
            settled = await self.conversation.exchange(text)
        assert settled.state in SETTLED
        self.assert_kept(settled, self.records[begin:])
        return settled

    def pieces(self, begin: int = 0) -> str:
        """What arrived piece by piece."""
        return "".join(r.event.text for r in self.records[begin:] if isinstance(r.event, ChunkReceived))

    def published(self, kind: type[Event]) -> list[Any]:
        """All events of one type."""
        return [record.event for record in self.records if isinstance(record.event, kind)]

    def assert_kept(self, settled: Record, records: list[Record]) -> None:
        """The journal, read back from the disk, has all that was published; the transcript agrees."""
        path = Store().path(self.session)
        lines = [json.loads(line) for line in path.read_bytes().splitlines()]
        lines = lines[next(i for i, line in enumerate(lines) if line["seq"] >= records[0].seq) :]
        pieces = "".join(line["text"] for line in lines if line["type"] == "chunk_received")
        streamed = "".join(record.event.text for record in records if isinstance(record.event, ChunkReceived))
        assert pieces == streamed
        kept = [record for record in Store().records(self.session) if record.seq >= records[0].seq]
        assert _without_pieces(kept) == _without_pieces(records)
        assert kept[-1] == settled
        assert list(conform(Store().records(self.session))) == []
        told = Store().transcript(self.session).exchanges[-1]
        assert told.state == settled.state
        assert told.answer == (streamed if settled.state == State.ERROR else settled.event.text)  # type: ignore[union-attr]

    def assert_transcript(self) -> None:
        """The transcript on disk, once the session is closed, is what its journal tells."""
        told = json.loads(Store().path(self.session).with_suffix(".json").read_bytes())["exchanges"]
        folded = msgspec.to_builtins(Store().transcript(self.session).exchanges)
        assert list(map(_untimed, told)) == list(map(_untimed, folded))

    def assert_outcome(self, settled: Record, outcome: Outcome) -> None:
        """The exchange came to what the table says."""
        event = settled.event
        assert settled.state == outcome.state, event
        assert self.pieces() == (outcome.streamed if self.way.stream else "")
        if isinstance(event, ErrorOccurred):
            assert event.kind == outcome.kind, event
            assert event.message
            assert not {"\n", "<"} & {*event.message}  # one line, and no web page
            assert KEY not in event.message
            assert event.hint or event.kind == "internal"
        else:
            assert event.text == outcome.text  # type: ignore[union-attr]
        assert asked(self.way, self.server) == outcome.posts, [str(request) for request in self.server.requests]


def asked(way: Way, server: Server) -> int:
    """How often the model was asked."""
    return sum(matches(way, request) for request in server.requests)


def _without_pieces(records: list[Record]) -> list[Record]:
    return [record for record in records if not isinstance(record.event, ChunkReceived)]


def _untimed(exchange: dict[str, Any]) -> dict[str, Any]:
    """An exchange without the times of its steps: the journal joins pieces, and has the time of the last of them."""
    return exchange | {"steps": [step["state"] for step in exchange["steps"]]}


@asynccontextmanager
async def scene(way: Way, brain: Any, *tools: Any, silence: float = 10.0, options: Any = None) -> AsyncIterator[Scene]:
    """A conversation in this way with a session on disk. At the end nothing is left of it: no task, thread or socket."""
    threads, sockets = set(threading.enumerate()), _sockets()
    with way.open(brain, silence) as (server, assistant):
        tasks = asyncio.all_tasks()
        session = Store().create()
        conversation = _conversation(way, assistant, tools, session.past)
        conversation.subscribe(session, essential=True)
        one = Scene(way, server, conversation, session.id)
        conversation.subscribe(one.records.append)
        try:
            yield one
        finally:
            await conversation.aclose()
            session.close()
        one.assert_transcript()
        await nothing_left(tasks)
        await server.eventually(lambda server: server.open_connections == 0)
    assert _sockets() == sockets
    left = {thread for thread in threading.enumerate() if not thread.name.startswith("asyncio_")} - threads
    assert not left


def _conversation(way: Way, assistant: AssistantProxy, tools: tuple[Any, ...], past: list[Record]) -> Conversation:
    return Conversation(
        assistant,
        UserProxy(tools),
        configured=Configured(provider=assistant.provider, model=assistant.model, settings=dict(way.settings)),
        options=Options(stream=way.stream, background=way.background, heartbeat=0.2, retry=RETRY),
        past=past,
    )


async def nothing_left(before: set[asyncio.Task[Any]]) -> None:
    """No task is left. A generator inside of an HTTP library that nobody closed is closed by a task of the loop's, at once."""
    async with asyncio.timeout(30):
        while not asyncio.all_tasks() <= before:  # noqa: ASYNC110 - a loop tells nobody when a task ends
            await asyncio.sleep(0.005)


def _sockets() -> int:
    links = Path("/proc/self/fd").iterdir()
    return sum(stat.S_ISSOCK(os.fstat(int(link.name)).st_mode) for link in list(links) if link.exists())
