"""The text of an answer that arrives more than once: in pieces, and whole at the end of a part, of an item, of the answer."""

from __future__ import annotations

from ..core.coalesce import TextBuffer

__all__ = ["MessageFold", "TextFold", "differs", "rest_of"]


class TextFold:
    """A text that is added to in pieces; whole texts add what the pieces have left out."""

    def __init__(self) -> None:
        self._buffer = TextBuffer()
        self._length = self._part = 0  # of the text; where the current part of it begins
        self._part_ended = False
        self._number: int | None = None  # of the part that ended

    def __str__(self) -> str:
        return str(self._buffer)

    def __len__(self) -> int:
        return self._length

    def add(self, piece: str) -> str:
        """Add a piece, and return it."""
        if self._part_ended:
            self.begin_part()
        self._append(piece)
        return piece

    def _append(self, piece: str) -> None:
        self._buffer.add(piece)
        self._length += len(piece)

    def begin_part(self) -> None:
        """What follows belongs to another part of the text."""
        self._part, self._part_ended, self._number = self._length, False, None

    def end_part(self, whole: str, number: int | None = None) -> str:
        """The current part, or the part with this number, is this text: add what is missing, and return that.

        May be repeated.
        """
        if not whole:
            return ""
        if self._part_ended and None not in (number, self._number) and number != self._number:
            self.begin_part()
        rest = rest_of(str(self._buffer)[self._part :], whole)
        self._append(rest)
        self._part_ended, self._number = True, number
        return rest

    def complete(self, whole: str) -> str:
        """All of it is this text: add what is missing, and return that."""
        rest = rest_of(str(self._buffer), whole)
        self._append(rest)
        self._part_ended = True
        return rest


class MessageFold:
    """An answer that consists of several messages, each in pieces, whole, or both; a blank line stands between two."""

    def __init__(self) -> None:
        self._pieces: dict[str, TextFold] = {}
        self._whole: dict[str, str] = {}

    def __contains__(self, number: str) -> bool:
        return number in self._pieces

    def __bool__(self) -> bool:
        return bool(self._pieces)

    def add(self, number: str, text: str, *, whole: bool) -> str:
        """A piece of the message with this id, or all of it; what is new in it for somebody who reads along."""
        if not text:
            return ""
        gap = "\n\n" if self._pieces and number not in self._pieces else ""
        fold = self._pieces.setdefault(number, TextFold())
        if whole:
            self._whole[number] = text
        new = fold.complete(text) if whole else fold.add(text)
        return gap + new if new else ""

    @property
    def ids(self) -> set[str]:
        """The ids of the messages."""
        return {*self._pieces}

    def text(self, *, ended: bool) -> str:
        """What was said. Once it has `ended`, whole messages count if there are any: pieces may have been garbled."""
        texts = self._whole if ended and self._whole else {**self._pieces, **self._whole}
        return "\n\n".join(map(str, texts.values()))


def rest_of(streamed: str, whole: str) -> str:
    """What is missing in `said` at its end; empty if the two differ in another way."""
    return whole[len(streamed) :] if whole.startswith(streamed) else ""


def differs(streamed: str, whole: str) -> bool:
    """Whether a whole text is not what was said, and a rest; white space around it does not count."""
    streamed, whole = streamed.strip(), whole.strip()
    return bool(whole) and not whole.startswith(streamed)
