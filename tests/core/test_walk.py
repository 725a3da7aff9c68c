"""The walk: an assistant that says arbitrary things, a person who may leave at any moment, and what holds all the same."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from itertools import pairwise
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asstproxy.core.codec import decode, encode
from asstproxy.core.errors import AssistantError
from asstproxy.core.events import (
    ActionRequired,
    AssistantMessageRetrieved,
    ChunkReceived,
    Configured,
    Event,
    Heartbeat,
    MessageIncomplete,
    Record,
    SetUserMessage,
    Started,
    ToolCall,
    ToolOutputsSubmitted,
    ToolResult,
)
from asstproxy.core.history import AssistantMessage, Item, ToolOutputs
from asstproxy.core.mediator import conform, make_mediator
from asstproxy.core.retry import RetryPolicy
from asstproxy.core.script import ACTIVE, SETTLED
from asstproxy.core.turn import Turn
from asstproxy.providers.scripted import ScriptedProvider, say
from asstproxy.tools import approve_all

from .stage import Stage
from .strategies import any_text, events
from .test_tool_rounds import asking

HURRIED = RetryPolicy(attempts=2, delay=0.001)

tools = st.sampled_from(["echo", "asks", "fails", "unknown"])
arguments = st.sampled_from(['{"text": "a"}', "{}", "", "[", "null"])
calls = st.lists(st.builds(ToolCall, st.sampled_from("pq"), tools, arguments), max_size=3).map(tuple)
decent: st.SearchStrategy[Any] = st.one_of(
    st.builds(Started, st.just("wild")),
    st.just(ToolOutputsSubmitted()),
    st.builds(ChunkReceived, any_text),
    st.builds(Heartbeat, st.none() | any_text),
    st.builds(ActionRequired, calls, any_text),
    st.builds(AssistantMessageRetrieved, any_text),
    st.builds(MessageIncomplete, any_text, any_text),
)
SPOILED: list[Any] = [
    msgspec.structs.replace(ChunkReceived("x"), text=None),
    msgspec.structs.replace(ChunkReceived("x"), text=b"x"),
    msgspec.structs.replace(ActionRequired(()), calls="pq"),
    msgspec.structs.replace(AssistantMessageRetrieved("x"), text=7, raw=object()),
    msgspec.structs.replace(Heartbeat(), status=1),
]
malformed = st.sampled_from(SPOILED)
nonsense = st.sampled_from([None, "text", 7, {"type": "chunk_received", "text": "a"}, ChunkReceived, object()])
raised = st.one_of(
    st.builds(
        lambda kind, retryable, wait: AssistantError(kind, "no", retryable=retryable, retry_after=wait),
        st.sampled_from(["server", "rate_limit", "connection", "content"]),
        st.booleans(),
        st.sampled_from([None, 0.0, 0.001, 3600.0]),
    ),
    st.builds(ValueError),
    st.builds(OSError, st.just(5), st.just("no")),
    st.builds(BrokenPipeError),
    st.builds(TimeoutError),
    st.builds(RuntimeError, st.just("two\nlines")),
    st.builds(asyncio.CancelledError),
    st.builds(StopAsyncIteration),
    st.builds(ExceptionGroup, st.just("many"), st.just([ValueError("one")])),
)
silences = st.sampled_from([0.0, 0.0, 0.001, 0.005])
FOR_EVER = "for ever"
parts = st.one_of(decent, decent, events(any_text), malformed, nonsense, raised, silences, st.just(FOR_EVER))
replies = st.lists(parts, max_size=8)
manners = st.sampled_from(["kind", "rude", "deaf", "slow", "plain"])
stops = st.none() | st.tuples(st.sampled_from(["cancel", "task"]), st.integers(0, 40))


class Wild:
    """Plays replies as they are. `manner` is how it takes being stopped; `greets`: it begins as the contract wants."""

    provider, model = "wild", "m"

    def __init__(self, script: Sequence[Sequence[Any]], manner: str, *, greets: bool) -> None:
        self.script = [list(reply) for reply in script]
        self.manner, self.greets = manner, greets

    def start_processing(self, turn: Turn) -> AsyncIterator[Event]:
        return self._speaker(Started(self.provider))

    def submit_tool_outputs(self, results: Sequence[ToolResult]) -> AsyncIterator[Event]:
        return self._speaker(ToolOutputsSubmitted())

    def _speaker(self, greeting: Event) -> AsyncIterator[Event]:
        said = self._speak([greeting] if self.greets else [], self.script.pop(0) if self.script else [])
        return Plain(said) if self.manner == "plain" else said

    async def _speak(self, greeting: list[Any], reply: list[Any]) -> AsyncIterator[Any]:
        try:
            for part in [*greeting, *reply]:
                try:
                    if isinstance(part, BaseException):
                        raise part
                    if isinstance(part, float):
                        await asyncio.sleep(part)
                        continue
                except asyncio.CancelledError:
                    if self.manner == "rude":
                        raise ValueError("do not interrupt me") from None
                    if self.manner != "deaf":
                        raise
                for _ in range(50_000 if part == FOR_EVER else 0):
                    yield ChunkReceived("x")
                yield part
        finally:
            if self.manner == "slow":
                await asyncio.sleep(0.002)

    async def aclose(self) -> None:
        pass


class Plain:
    """An iterator and nothing more: it has no `aclose`."""

    def __init__(self, events: AsyncIterator[Event]) -> None:
        self._events = events

    def __aiter__(self) -> Plain:
        return self

    async def __anext__(self) -> Event:
        return await anext(self._events)


def echo(text: str) -> str:
    """Say it again."""
    return text


async def fails(text: str = "") -> str:
    """Never works."""
    await asyncio.sleep(0)
    raise OSError(text)


def asks(text: str = "") -> str:
    """Needs a person."""
    return text


class Journal:
    """Keeps what is said, as it will be read again; it may be full at some record."""

    def __init__(self, full_at: int | None) -> None:
        self.records: list[Record] = []
        self.full_at, self.lost = full_at, 0

    def __call__(self, record: Record) -> None:
        if record.seq == self.full_at:
            self.lost += 1
            raise OSError(28, "No space left on device")
        self.records.append(decode(encode(record)))


async def held(stage: Stage, stop: tuple[str, int] | None) -> Record | BaseException:
    """Hold an exchange that may be stopped after some turns of the loop; what it returned or raised."""
    task = asyncio.create_task(stage.conversation.exchange("hi", timeout=0.05))
    if stop is not None:
        for _ in range(stop[1]):
            await asyncio.sleep(0)
        (stage.conversation.cancel if stop[0] == "cancel" else task.cancel)()
    await asyncio.wait({task})
    if task.cancelled():
        return asyncio.CancelledError()
    return task.exception() or task.result()


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    script=st.lists(replies, min_size=1, max_size=4),
    manner=manners,
    greets=st.sampled_from([True, True, False]),
    stop=stops,
    full_at=st.none() | st.none() | st.integers(1, 12),
    mediator=st.sampled_from(["state-machine", "basic"]),
)
async def test_whatever_an_assistant_says(
    script: list[list[Any]],
    manner: str,
    greets: bool,
    stop: tuple[str, int] | None,
    full_at: int | None,
    mediator: str,
) -> None:
    """The exchange settles, the records conform and can be read again, no task is left, and the next exchange works."""
    wild = Wild(script, manner, greets=greets)
    stage = Stage(
        assistant=wild,
        tools=[echo, fails, asking(asks)],
        approve=approve_all,
        mediator=mediator,
        retry=HURRIED,
        heartbeat=0.002,
        max_tool_rounds=3,
    )
    journal = Journal(full_at)
    stage.conversation.subscribe(journal, essential=True)
    end = await held(stage, stop)

    match end:
        case asyncio.CancelledError():
            assert stop is not None
        case OSError():
            assert full_at is not None
        case _:
            assert isinstance(end, Record), repr(end)
            assert end.state in SETTLED
    settled(stage, begun=stage.published(SetUserMessage) != [])
    assert asyncio.all_tasks() == {asyncio.current_task()}

    journal.full_at = None
    friend = ScriptedProvider(say("fine"))
    stage.conversation.configure(Configured(provider="scripted"), friend)
    assert (await stage.conversation.exchange("again")).event == AssistantMessageRetrieved("fine")
    settled(stage, begun=True)
    answered(friend.turns[0].history)
    assert list(conform(stage.records, make_mediator(mediator))) == []
    assert len(journal.records) + journal.lost == len(stage.records)


def settled(stage: Stage, *, begun: bool) -> None:
    """One exchange at most was open at any time, and none is now."""
    is_open = False
    for record in stage.records:
        assert not (is_open and isinstance(record.event, SetUserMessage))
        is_open = record.state in ACTIVE
    assert not is_open
    assert stage.conversation.state in SETTLED or not begun
    assert [record.seq for record in stage.records] == list(range(1, len(stage.records) + 1))


def answered(history: Sequence[Item]) -> None:
    """No call dangles in what the next assistant is sent."""
    for item, following in pairwise([*history, None]):
        if isinstance(item, AssistantMessage) and item.calls:
            assert isinstance(following, ToolOutputs)
            assert [c.call_id for c in item.calls] == [r.call_id for r in following.results]
