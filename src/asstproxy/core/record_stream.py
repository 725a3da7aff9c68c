"""Records for a slow reader: bounded by merging pieces of text, never by dropping anything."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator

from .coalesce import RecordMerger
from .events import Record
from .script import SETTLED

__all__ = ["RecordStream"]


class RecordStream(AsyncIterator[Record]):
    """A subscriber that is read with `async for`; it ends when the exchange has settled.

    `maxsize` is in records: beyond it, neighbouring pieces of text are merged. Other records are kept however many there are.
    """

    def __init__(self, maxsize: int = 256) -> None:
        import asyncio

        self._maxsize = maxsize
        self._records: deque[RecordMerger] = deque()
        self._arrived = asyncio.Event()
        self._ended = False

    def __call__(self, record: Record) -> None:
        """Take a record from the hub; after the one that settled the exchange, none."""
        if self._ended:
            return
        if len(self._records) < self._maxsize or not self._records[-1].take(record):
            self._records.append(RecordMerger(record))
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
        return self._records.popleft().record


_LAST = frozenset({"assistant_message_retrieved", "message_incomplete", "cancelled", "error"})
