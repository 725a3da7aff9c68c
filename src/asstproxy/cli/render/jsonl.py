"""The JSON Lines view: every record as one line, the line of the journal."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

from asstproxy.core.events import Record

__all__ = ["JsonLinesView"]


class JsonLinesView:
    """Writes `encode(record)` and a line feed, in one write per record, and flushes it."""

    def __init__(self, stdout: BinaryIO, encode: Callable[[Record], bytes]) -> None:
        self._stdout = stdout
        self._encode = encode

    def __call__(self, record: Record) -> None:
        """Write one line. A reader that is slow holds the exchange up, which is what a pipe is for."""
        self._stdout.write(self._encode(record) + b"\n")
        self._stdout.flush()
