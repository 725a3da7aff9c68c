"""Records for a slow reader: bounded by merging pieces of text, never by dropping anything."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator

from .events import ChunkReceived, Reasoning, Record
from .script import SETTLED

__all__ = ["RecordStream", "merged"]


def merged(older: Record, newer: Record) -> Record | None:
    """Two neighbouring records as one, when both are pieces of the same text; else None.

    The number, the time and the state are the newer one's: `seq` goes on counting up, with gaps where pieces were merged.
    """
    match older.event, newer.event:
        case ChunkReceived(text=a, phase=p), ChunkReceived(text=b, phase=q) if p == q:
            return Record(newer.seq, newer.at, newer.state, ChunkReceived(a + b, p))
        case Reasoning(text=a), Reasoning(text=b) if older.state == newer.state:
            return Record(newer.seq, newer.at, newer.state, Reasoning(a + b))
    return None


class RecordStream(AsyncIterator[Record]):
    """A subscriber that is read with `async for`; it ends when the exchange has settled.

    `maxsize` is in records: beyond it, neighbouring pieces of text are merged. Other records are kept however many there are.
    """

    def __init__(self, maxsize: int = 256) -> None:
        import asyncio

        self._maxsize = maxsize
        self._records: deque[Record] = deque()
        self._arrived = asyncio.Event()
        self._ended = False

    def __call__(self, record: Record) -> None:
        """Take a record from the hub; after the one that settled the exchange, none."""
        if self._ended:
            return
        joined = merged(self._records[-1], record) if len(self._records) >= self._maxsize else None
        if joined is not None:
            self._records[-1] = joined
        else:
            self._records.append(record)
        self._ended = record.state in SETTLED and record.event.type in _LAST
        self._arrived.set()

    def end(self) -> None:
        """Nothing more will come: the reader ends after what is left."""
        self._ended = True
        self._arrived.set()

    async def __anext__(self) -> Record:
        """The next record, in order."""
        while not self._records:
            if self._ended:
                raise StopAsyncIteration
            self._arrived.clear()
            await self._arrived.wait()
        return self._records.popleft()


_LAST = frozenset({"assistant_message_retrieved", "message_incomplete", "cancelled", "error"})
