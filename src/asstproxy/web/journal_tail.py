"""The end of a journal that another process may be writing."""

from __future__ import annotations

import contextlib
from os import SEEK_END
from pathlib import Path

from ..core.codec import decode
from ..core.events import Record

__all__ = ["JournalTail"]

_LINE = 1 << 20
"""Bytes from the end of a journal within which its last line begins."""


class JournalTail:
    """Reads what is added to a journal from now on. A journal that doesn't exist, or can't be read, has nothing new."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0  # bytes
        self.skip()

    def skip(self) -> None:
        """Continue with what is written from now on. A line that isn't whole yet is read when it is."""
        with contextlib.suppress(OSError), self._path.open("rb") as file:
            size = file.seek(0, SEEK_END)
            start = file.seek(max(0, size - _LINE))
            self._read = start + file.read().rfind(b"\n") + 1

    def read(self) -> list[Record]:
        """The records of the whole lines that were added since the last look."""
        try:
            if self._path.stat().st_size <= self._read:
                return []
            with self._path.open("rb") as file:
                file.seek(self._read)
                data = file.read()
        except OSError:
            return []
        whole = data.rfind(b"\n") + 1
        self._read += whole
        found = []
        for line in data[:whole].splitlines():
            with contextlib.suppress(ValueError, RecursionError):  # a damaged line: the store reports it
                found.append(decode(line))
        return found
