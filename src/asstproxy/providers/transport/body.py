"""What the body of an HTTP reply is: server-sent events, JSON, or words. Servers mislabel it, so the bytes decide."""

from __future__ import annotations

import json
import re
from typing import Any, Literal

import msgspec

from .sse import EventReader, TooLargeError

__all__ = ["BodyReader", "decode_error", "decode_json", "plain_words"]

BOM = b"\xef\xbb\xbf"
_FIELD = re.compile(rb"(data|event|id|retry)?:|(data|event|id|retry)[\r\n]")
"""The beginning of a line of server-sent events."""
LONGEST_FIELD = len(b"retry:")
MAX_WORDS = 500
"""Characters of a plain text that can be an explanation; a longer one is something else."""
Kind = Literal["events", "json", "words"]


class BodyReader:
    """Reads the body of a reply to a request for a stream. `labelled`: its `Content-Type` says that it is one.

    `limit` is in bytes: of one event, or of a body that is not a stream. `kind` is what it turned out to be; None so far.
    """

    def __init__(self, limit: int, *, labelled: bool) -> None:
        self.kind: Kind | None = None
        self._limit, self._labelled = limit, labelled
        self._events = EventReader(limit)
        self._body: list[bytes] = []  # what came before the kind was known; of JSON and words, everything
        self._size = 0

    def feed(self, piece: bytes) -> list[tuple[bytes, bytes]]:
        """Name and data of the events that this piece completes.

        Raises:
            TooLargeError: it has more than `limit` bytes.
        """
        if self.kind == "events":
            return self._events.feed(piece)
        self._body.append(piece)
        self._size += len(piece)
        if self._size > self._limit:
            raise TooLargeError
        if self.kind is None:
            self.kind = self._find_kind(b"".join(self._body), ended=False)
        return self._events.feed(self._take()) if self.kind == "events" else []

    def end(self) -> list[tuple[bytes, bytes]]:
        """The event that the end of the stream completes, if any; see `EventReader.end`."""
        if self.kind is None:
            self.kind = self._find_kind(self.body, ended=True)
            early = self._events.feed(self._take()) if self.kind == "events" else []
            return early + self._events.end()
        return self._events.end() if self.kind == "events" else []

    @property
    def body(self) -> bytes:
        """A body that is not a stream, as far as it has arrived."""
        return b"".join(self._body)

    def _take(self) -> bytes:
        body = self.body
        self._body.clear()
        return body

    def _find_kind(self, body: bytes, *, ended: bool) -> Kind | None:
        start = body.removeprefix(BOM).lstrip()
        if start[:1] in (b"{", b"["):
            return "json"
        if self._labelled and start and not start.startswith(b"<"):
            return "events"
        if not ended and len(start) < LONGEST_FIELD:
            return None
        return "events" if _FIELD.match(start) or (self._labelled and not start) else "words"


def decode_json(data: bytes) -> Any:
    """The value of JSON text, also of nearly JSON: with invalid UTF-8, NaN, or half of a surrogate pair; None if it is none.

    JSON within a JSON string, as some gateways send, is taken out.
    """
    try:
        value = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        try:
            value = json.loads(data.removeprefix(BOM).decode(errors="replace"))
        except (ValueError, RecursionError):
            return None
    return _taken_out(value) if isinstance(value, str) else value


def _taken_out(text: str) -> Any:
    inner: Any = text
    try:
        while isinstance(inner, str) and inner.lstrip().startswith(("{", "[", '"')):
            inner = json.loads(inner)
    except (ValueError, RecursionError):
        return text
    return inner if isinstance(inner, dict | list) else text


def decode_error(body: bytes) -> Any:
    """What a server says of a failure: a JSON value, that of an event (LiteLLM refuses in a stream), or its words."""
    value = decode_json(body)
    if value is not None:
        return value
    events = EventReader(len(body) + 8)
    for _, data in [*events.feed(body), *events.end()]:
        value = decode_json(data)
        if isinstance(value, dict | list):
            return value
        if value is None and data.strip() != b"[DONE]":
            return plain_words(data)
    return plain_words(body)


def plain_words(body: bytes) -> str:
    """A plain text; empty for a web page, and for what is too long to be an explanation."""
    words = body.removeprefix(BOM).decode(errors="replace").strip()
    return "" if words.startswith("<") or len(words) > MAX_WORDS or "\0" in words else words
