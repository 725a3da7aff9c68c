"""Text that arrives in chunks: adding one costs the same however long the text is, and adjacent chunks can be merged."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from .errors import AssistantError
from .events import ChunkReceived, Event, Reasoning, Record, Unknown
from .script import SETTLED

if TYPE_CHECKING:
    import asyncio

__all__ = ["TEXT_EVENTS", "RecordMerger", "RecordStream", "TextBuffer", "merge_chunks"]

MAX_CHUNKS = 1024
"""Chunks after which they become one string: an object costs fifty bytes and more, however short its text."""
TEXT_EVENTS = (ChunkReceived, Reasoning)
"""The events that carry a chunk of a text."""


class TextBuffer:
    """A text that is appended to; `str` joins it."""

    __slots__ = ("_blocks", "_chunks")

    def __init__(self, *chunks: str) -> None:
        self._blocks: list[str] = []
        self._chunks = list(chunks)

    def add(self, chunk: str) -> None:
        """Append a chunk."""
        self._chunks.append(chunk)
        if len(self._chunks) >= MAX_CHUNKS:
            self._blocks.append("".join(self._chunks))
            self._chunks.clear()

    def __bool__(self) -> bool:
        return bool(self._blocks or self._chunks)

    def __str__(self) -> str:
        return "".join((*self._blocks, *self._chunks))


def merge_chunks(events: Iterable[Event]) -> Iterator[Event]:
    """The events that arrived together, with adjacent chunks of one text merged.

    Raises:
        AssistantError: as `events` did, after everything that came before.
    """
    chunks: list[ChunkReceived | Reasoning] = []  # of one text; not yielded yet
    try:
        for event in events:
            if chunks and not _same_text(chunks[0], event):
                yield _merged(chunks)
                chunks.clear()
            if isinstance(event, TEXT_EVENTS):
                chunks.append(event)
            else:
                yield event
    except AssistantError:
        if chunks:
            yield _merged(chunks)
        raise
    if chunks:
        yield _merged(chunks)


# ---- records -----------------------------------------------------------------------------------------------------------


class RecordMerger:
    """A record that absorbs the records after it while all of them are chunks of one text.

    Number, time and state are those of the newest: `seq` counts up, with gaps where records were merged.
    """

    __slots__ = ("_newest", "_text")

    def __init__(self, record: Record) -> None:
        self._newest = record
        self._text = TextBuffer(record.event.text) if isinstance(record.event, TEXT_EVENTS) else None

    @property
    def is_text(self) -> bool:
        """Whether it is a chunk of text, so that more may follow."""
        return self._text is not None

    def absorb(self, record: Record) -> bool:
        """Merge the record that follows; False: it does not belong to this text, and nothing has changed."""
        newest, event = self._newest, record.event
        if self._text is None or not isinstance(event, TEXT_EVENTS) or not _same_text(newest.event, event):
            return False
        if isinstance(event, Reasoning) and newest.state != record.state:
            return False  # reasoning does not move the script, so the two may differ in their state
        self._text.add(event.text)
        self._newest = record
        return True

    @property
    def record(self) -> Record:
        """The record as it is now."""
        newest = self._newest
        if self._text is None or not isinstance(newest.event, TEXT_EVENTS):
            return newest
        return Record(newest.seq, newest.at, newest.state, _with_text(newest.event, str(self._text)))


class RecordStream(AsyncIterator[Record]):
    """A subscriber that is read with `async for`; it ends when the exchange has settled.

    It is bounded by merging chunks, never by dropping anything: beyond `maxsize` records, adjacent chunks of text are merged.
    Other records are kept however many there are.
    """

    def __init__(self, maxsize: int = 256) -> None:
        import asyncio  # 60 ms, which commands that only read sessions do not spend

        self._maxsize = maxsize
        self._records: deque[RecordMerger] = deque()
        self._arrived = asyncio.Event()
        self._ended = False

    def __call__(self, record: Record) -> None:
        """Take a record from the hub; none after the one that settled the exchange."""
        if self._ended:
            return
        if len(self._records) < self._maxsize or not self._records[-1].absorb(record):
            self._records.append(RecordMerger(record))
        self._ended = record.state in SETTLED and record.event.type in _SETTLING
        self._arrived.set()

    def end(self) -> None:
        """End after the records that have arrived."""
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

    async def until_done(
        self, exchange: asyncio.Task[Record] | None, unsubscribe: Callable[[], None]
    ) -> AsyncIterator[Record]:
        """The records of this exchange; then whatever it raised is raised, but for its cancellation."""
        if exchange is not None:
            exchange.add_done_callback(lambda _: self.end())
        try:
            async for record in self:
                yield record
        finally:
            unsubscribe()
        if exchange is not None and exchange.done() and not exchange.cancelled():
            exchange.result()


_SETTLING = frozenset({"assistant_message_retrieved", "message_incomplete", "cancelled", "error"})


def _merged(chunks: list[ChunkReceived | Reasoning]) -> Event:
    return chunks[0] if len(chunks) == 1 else _with_text(chunks[0], "".join(chunk.text for chunk in chunks))


def _with_text(event: ChunkReceived | Reasoning, text: str) -> Event:
    return ChunkReceived(text, event.phase) if isinstance(event, ChunkReceived) else Reasoning(text)


def _same_text(older: Event | Unknown, newer: Event | Unknown) -> bool:
    if isinstance(older, ChunkReceived):
        return isinstance(newer, ChunkReceived) and older.phase == newer.phase
    return isinstance(older, Reasoning) and isinstance(newer, Reasoning)
