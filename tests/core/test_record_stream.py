"""Records for a slow reader: bounded, in order, and nothing lost."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asstproxy.core.coalesce import RecordMerger, RecordStream
from asstproxy.core.events import (
    AssistantMessageRetrieved,
    Cancelled,
    ChunkReceived,
    ErrorOccurred,
    Event,
    MessageIncomplete,
    Notice,
    Reasoning,
    Record,
    Titled,
    Unknown,
    Usage,
)
from asstproxy.core.script import State

EVENTS = st.one_of(
    st.builds(ChunkReceived, st.text("ab", max_size=2), st.sampled_from(["answer", "commentary"])),
    st.builds(Reasoning, st.text("cd", max_size=2)),
    st.sampled_from([Usage(1, 2), Notice("hm"), Titled("tea")]),
)
SETTLING = [
    AssistantMessageRetrieved("a"),
    MessageIncomplete("a", "expired"),
    Cancelled(),
    ErrorOccurred("server", "no"),
]
ENDS = dict(zip(SETTLING, [State.COMPLETED, State.INCOMPLETE, State.CANCELLED, State.ERROR], strict=True))


def stamped(events: Sequence[Event]) -> list[Record]:
    return [Record(seq, f"at {seq}", State.STREAMING, event) for seq, event in enumerate(events, 1)]


def condensed(records: Sequence[Record]) -> list[Event | Unknown]:
    """The events, with all neighbouring pieces of one text in one."""
    whole: list[RecordMerger] = []
    for record in records:
        if not whole or not whole[-1].absorb(record):
            whole.append(RecordMerger(record))
    return [growing.record.event for growing in whole]


@given(events=st.lists(EVENTS, max_size=30), maxsize=st.integers(1, 5), data=st.data())
async def test_nothing_is_lost_and_the_queue_is_bounded(events: list[Event], maxsize: int, data: st.DataObject) -> None:
    """However slow the reader: the same text, the same other records, in order, and no more waiting than must be."""
    stream = RecordStream(maxsize)
    read: list[Record] = []
    waiting: list[Record] = []
    for record in stamped(events):
        stream(record)
        waiting.append(record)
        if data.draw(st.integers(0, 3)) == 0:
            read.append(await anext(stream))
            waiting = [one for one in waiting if one.seq > read[-1].seq]
    stream.end()
    rest = [record async for record in stream]
    assert len(rest) <= maxsize + len(condensed(waiting))
    assert condensed([*read, *rest]) == condensed(stamped(events))
    assert all(one.seq < other.seq for one, other in pairwise([*read, *rest]))


@given(events=st.lists(EVENTS, max_size=30))
async def test_a_reader_who_keeps_up_gets_every_record(events: list[Event]) -> None:
    """Nothing is merged as long as there is room."""
    stream = RecordStream(maxsize=30)
    for record in stamped(events):
        stream(record)
    stream.end()
    assert [record async for record in stream] == stamped(events)


async def test_only_text_is_merged_under_pressure() -> None:
    """A thousand chunks take one place beyond the bound; a hundred notices take a hundred."""
    stream = RecordStream(maxsize=4)
    events: list[Event] = [*[ChunkReceived("ab")] * 1000, *[Notice("hm")] * 100]
    for record in stamped(events):
        stream(record)
    stream.end()
    read = [record async for record in stream]
    assert [record.seq for record in read] == [1, 2, 3, 1000, *range(1001, 1101)]
    assert "".join(record.event.text for record in read if isinstance(record.event, ChunkReceived)) == "ab" * 1000


@pytest.mark.parametrize(
    ("older", "newer", "together"),
    [
        (ChunkReceived("a"), ChunkReceived("b"), ChunkReceived("ab")),
        (ChunkReceived("a", "commentary"), ChunkReceived("b", "commentary"), ChunkReceived("ab", "commentary")),
        (Reasoning("a"), Reasoning("b"), Reasoning("ab")),
        (ChunkReceived("a"), ChunkReceived("b", "commentary"), None),
        (ChunkReceived("a"), Reasoning("b"), None),
        (Usage(1), Usage(1), None),
        (Notice("a"), Notice("a"), None),
    ],
)
def test_what_can_be_one(older: Event, newer: Event, together: Event | None) -> None:
    """Pieces of the same text can, stamped as the newer one; nothing else can."""
    one, other = stamped([older, newer])
    growing = RecordMerger(one)
    assert growing.absorb(other) is (together is not None)
    assert growing.record == (Record(other.seq, other.at, other.state, together) if together else one)


def test_a_piece_that_changed_the_state_is_kept() -> None:
    """Reasoning does not move the script, so pieces of it around a heartbeat's step stay two."""
    one, other = stamped([Reasoning("a"), Reasoning("b")])
    assert not RecordMerger(Record(one.seq, one.at, State.STARTED, one.event)).absorb(other)


@pytest.mark.parametrize("last", SETTLING, ids=lambda event: str(event.type))
async def test_it_ends_when_the_exchange_has_settled(last: Event) -> None:
    """The settling record is the last one; what is said afterwards belongs to no exchange."""
    stream = RecordStream()
    for record in stamped([ChunkReceived("a")]):
        stream(record)
    stream(Record(2, "at 2", ENDS[last], last))
    stream(Record(3, "at 3", ENDS[last], Titled("tea")))
    async with asyncio.timeout(30):
        assert [record.seq async for record in stream] == [1, 2]


async def test_a_note_in_a_settled_state_does_not_end_it() -> None:
    """Before the message of a second exchange, notes carry the state in which the first one settled."""
    stream = RecordStream()
    stream(Record(1, "at 1", State.COMPLETED, Notice("again")))
    stream(Record(2, "at 2", State.READY, Notice("hm")))
    stream.end()
    assert [record.seq async for record in stream] == [1, 2]


async def test_a_waiting_reader_is_woken() -> None:
    """A reader who came early gets the first record, and the end, without asking again."""
    stream = RecordStream()
    reader = asyncio.create_task(_all(stream))
    for record in stamped([ChunkReceived("a"), Notice("hm")]):
        await asyncio.sleep(0)
        stream(record)
    await asyncio.sleep(0)
    stream.end()
    assert [record.seq for record in await asyncio.wait_for(reader, 30)] == [1, 2]


async def _all(stream: RecordStream) -> list[Record]:
    return [record async for record in stream]
