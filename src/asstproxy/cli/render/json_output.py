"""`--events`: every record as a JSON line. `--json`: the whole exchange as one object, at its end."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, BinaryIO, Self, TextIO

import msgspec

from ...core.codec import escape_controls
from ...core.events import Cancelled, ChunkReceived, ErrorOccurred, MessageIncomplete, Notice, Record, SetUserMessage
from ...store.transcript import ExchangeEntry, TranscriptBuilder
from ..standard_streams import write_json

__all__ = ["JsonLinesView", "JsonView"]


class JsonLinesView:
    """Writes `encode(record)`, which is the record's line in the session file, in one flushed write per record."""

    def __init__(self, stdout: BinaryIO, encode: Callable[[Record], bytes]) -> None:
        self._stdout = stdout
        self._encode = encode

    def __call__(self, record: Record) -> None:
        """Write one line. A slow reader slows the exchange down, as is usual in a pipe."""
        self._stdout.write(self._encode(record) + b"\n")
        self._stdout.flush()


class JsonView:
    """Folds one exchange and prints it when its context is left.

    The object: `answer`, `state`, `reason`, `error`, `session`, `provider`, `model`, `usage` (tokens), `cost` (if there is a
    `price`), `tool_calls`, `notices` (what the provider says to the person), `sources` (`url` and `title` of each page that the
    answer cites), and seconds: to the `first_chunk`, and in `total`.
    """

    def __init__(
        self, stdout: TextIO, session: str | None, price: Callable[[ExchangeEntry], dict[str, Any]] | None = None
    ) -> None:
        self._stdout, self._session, self._price = stdout, session, price
        self._fold = TranscriptBuilder()
        self._first_chunk: float | None = None
        self._last: Record | None = None
        self._notices: list[str] = []

    def __call__(self, record: Record) -> None:
        """Fold a record."""
        self._fold.feed(record)
        self._last = record
        if isinstance(record.event, SetUserMessage):
            self._notices.clear()
        if isinstance(record.event, Notice):
            self._notices.append(record.event.text)
        if self._first_chunk is None and isinstance(record.event, ChunkReceived):
            self._first_chunk = self._seconds(record)

    def _seconds(self, record: Record) -> float:
        from datetime import datetime

        began = datetime.fromisoformat(self._fold.transcript.exchanges[-1].started)
        return round((datetime.fromisoformat(record.at) - began).total_seconds(), 3)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._last is not None and self._fold.transcript.exchanges:
            write_json(escape_controls(msgspec.json.encode(self._result(self._last))) + b"\n", self._stdout)
            self._stdout.flush()

    def _result(self, last: Record) -> dict[str, Any]:
        entry = self._fold.transcript.exchanges[-1]
        error = last.event if isinstance(last.event, ErrorOccurred) else None
        reason = last.event.reason if isinstance(last.event, MessageIncomplete | Cancelled) else None
        return {
            "answer": entry.answer,
            "state": entry.state,
            "reason": reason,
            "error": {"kind": error.kind, "message": error.message, "hint": error.hint} if error else None,
            "session": self._session,
            "provider": entry.provider,
            "model": entry.model,
            "usage": entry.usage,
            **({"cost": self._price(entry)} if self._price else {}),
            "tool_calls": entry.tools,
            "notices": self._notices,
            "sources": [{"url": source.url, "title": source.title} for source in entry.sources],
            "seconds": {"first_chunk": self._first_chunk, "total": self._seconds(last)},
        }
