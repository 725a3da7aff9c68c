"""`--events`: every record as a JSON line. `--json`: the whole exchange as one object, at its end."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, BinaryIO, Self, TextIO

import msgspec

from ...core.codec import escape_controls
from ...core.events import ChunkReceived, Notice, Record, SetUserMessage
from ...store.transcript import ExchangeEntry, TranscriptBuilder
from ..standard_streams import write_json
from .result import Seconds, result_of

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
    """Folds one exchange and prints it as a `Result` when its context is left; `price` says what it cost."""

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
            result = result_of(
                self._fold.transcript.exchanges[-1],
                self._last,
                session=self._session,
                notices=self._notices,
                seconds=Seconds(self._first_chunk, self._seconds(self._last)),
                price=self._price,
            )
            write_json(escape_controls(msgspec.json.encode(result)) + b"\n", self._stdout)
            self._stdout.flush()
