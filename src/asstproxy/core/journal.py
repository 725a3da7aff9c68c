"""The journal: the truth about a session, one record a line, appended before anybody else hears the record."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

from .codec import encode
from .events import Record
from .script import SETTLED, STEPS
from .stream import merged

__all__ = ["Journal"]

PAUSE = 0.05
"""Seconds between two lines of streamed text: neighbouring pieces are written as one, at most 20 lines a second."""


class Journal:
    """A subscriber that appends every record to an open file, with one unbuffered write for each.

    The file is synced to the disk when an exchange settles. A write that fails (disk full) raises `OSError` and leaves whole
    lines only.
    """

    def __init__(self, fd: int, path: Path) -> None:
        self._fd, self._path = fd, path
        self._size = os.fstat(fd).st_size
        self._held: Record | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._wrote_text = 0.0

    def __call__(self, record: Record) -> None:
        """Append a record; text may be held back for `PAUSE` seconds."""
        joined = merged(self._held, record) if self._held is not None else None
        if joined is not None:
            self._held = joined
        else:
            self.flush()
            if merged(record, record) is None:
                self._write(record)
                return
            self._held = record
        now = time.monotonic()
        if now - self._wrote_text >= PAUSE:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(PAUSE, self._flush_later)

    def _flush_later(self) -> None:
        self._timer = None
        try:
            self.flush()
        except OSError:
            pass  # what is held is written, or fails, with the next record, where the exchange can see it

    def flush(self) -> None:
        """Write what is held back.

        Raises:
            OSError: it cannot be written.
        """
        if self._held is not None:
            self._write(self._held)
            self._held, self._wrote_text = None, time.monotonic()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _write(self, record: Record) -> None:
        line = encode(record) + b"\n"
        try:
            written = os.write(self._fd, line)
            if written != len(line):
                raise OSError(28, "No space left on device", str(self._path))
        except OSError as error:
            os.ftruncate(self._fd, self._size)
            if error.filename is None:
                error.filename = str(self._path)
            raise
        self._size += len(line)
        if record.state in SETTLED and record.event.type in STEPS:
            os.fsync(self._fd)

    def close(self) -> None:
        """Write what is held back and close the file."""
        try:
            self.flush()
        finally:
            os.close(self._fd)
