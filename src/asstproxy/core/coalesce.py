"""Text that comes in pieces: a piece costs the same however long the text is, and does not stay an object of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .errors import AssistantError
from .events import ChunkReceived, Event, Reasoning, Record, Unknown

__all__ = ["PIECES", "RecordMerger", "TextBuffer", "merge_chunks"]

MANY = 1024
"""Pieces after which they become one string: an object costs fifty bytes and more, whatever it says."""
PIECES = (ChunkReceived, Reasoning)
"""What says a piece of a text."""


class TextBuffer:
    """A text that grows; `str` gives the whole."""

    __slots__ = ("_blocks", "_pieces")

    def __init__(self, *pieces: str) -> None:
        self._blocks: list[str] = []
        self._pieces = list(pieces)

    def add(self, piece: str) -> None:
        """Append a piece."""
        self._pieces.append(piece)
        if len(self._pieces) >= MANY:
            self._blocks.append("".join(self._pieces))
            self._pieces.clear()

    def __bool__(self) -> bool:
        return bool(self._blocks or self._pieces)

    def __str__(self) -> str:
        return "".join((*self._blocks, *self._pieces))


class RecordMerger:
    """A record that grows by its neighbours while all of them are pieces of one text.

    The number, the time and the state are the newest one's: `seq` goes on counting up, with gaps where pieces were joined.
    """

    __slots__ = ("_newest", "_text")

    def __init__(self, record: Record) -> None:
        self._newest = record
        self._text = TextBuffer(record.event.text) if isinstance(record.event, PIECES) else None

    @property
    def grows(self) -> bool:
        """Whether it is text, so that more of it may follow."""
        return self._text is not None

    def take(self, record: Record) -> bool:
        """Grow by the record that follows; False: it is no piece of this text, and nothing has changed."""
        newest, event = self._newest, record.event
        if self._text is None or not isinstance(event, PIECES) or not _one_text(newest.event, event):
            return False
        if isinstance(event, Reasoning) and newest.state != record.state:
            return False  # it does not move the script, so the state may tell the two apart
        self._text.add(event.text)
        self._newest = record
        return True

    @property
    def record(self) -> Record:
        """The record as it is now."""
        newest = self._newest
        if self._text is None or not isinstance(newest.event, PIECES):
            return newest
        return Record(newest.seq, newest.at, newest.state, _saying(newest.event, str(self._text)))


def merge_chunks(said: Iterable[Event]) -> Iterator[Event]:
    """The events that were said together, with neighbouring pieces of one text as one.

    Raises:
        AssistantError: as `said` did, after all that was said before.
    """
    pieces: list[ChunkReceived | Reasoning] = []  # of one text; not given yet
    try:
        for event in said:
            if pieces and not _one_text(pieces[0], event):
                yield _whole(pieces)
                pieces.clear()
            if isinstance(event, PIECES):
                pieces.append(event)
            else:
                yield event
    except AssistantError:
        if pieces:
            yield _whole(pieces)
        raise
    if pieces:
        yield _whole(pieces)


def _whole(pieces: list[ChunkReceived | Reasoning]) -> Event:
    return pieces[0] if len(pieces) == 1 else _saying(pieces[0], "".join(piece.text for piece in pieces))


def _saying(event: ChunkReceived | Reasoning, text: str) -> Event:
    return ChunkReceived(text, event.phase) if isinstance(event, ChunkReceived) else Reasoning(text)


def _one_text(older: Event | Unknown, newer: Event | Unknown) -> bool:
    if isinstance(older, ChunkReceived):
        return isinstance(newer, ChunkReceived) and older.phase == newer.phase
    return isinstance(older, Reasoning) and isinstance(newer, Reasoning)
