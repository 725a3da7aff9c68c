"""The journal: the truth about a session, one record a line, appended before anybody else hears the record."""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.coalesce import RecordMerger
from ..core.codec import encode
from ..core.events import Record
from ..core.script import SETTLED, STEPS

if TYPE_CHECKING:
    import asyncio

__all__ = ["Journal"]

BATCH = 1000
"""Records that are written together when many are."""
PAUSE = 0.05
"""Seconds between two lines of streamed text: neighbouring pieces are written as one, at most 20 lines a second."""


class Journal:
    """A subscriber that appends every record to an open file, with one unbuffered write for each.

    The file is synced to the disk when an exchange settles. A write that fails (disk full) raises `OSError` and leaves whole
    lines only; what could not be written is kept, and goes out before the next record, so that no line is ever missing in
    the middle. `size` is the length of the file in bytes.
    """

    def __init__(self, fd: int, path: Path) -> None:
        self._fd, self._path = fd, path
        self.size = os.fstat(fd).st_size
        self._owed: list[RecordMerger] = []  # only the last of them grows
        self._timer: asyncio.TimerHandle | None = None
        self._wrote_text = 0.0

    def __call__(self, record: Record) -> None:
        """Append a record; text may be held back for `PAUSE` seconds.

        Raises:
            OSError: it cannot be written.
        """
        if not (self._owed and self._owed[-1].absorb(record)):
            growing = RecordMerger(record)
            if self._owed:
                self._flush_before(growing)
            self._owed.append(growing)
            if not growing.is_text:
                self.flush()
                return
        now = time.monotonic()
        if now - self._wrote_text >= PAUSE:
            self.flush()
            self._wrote_text = now
        elif self._timer is None:
            import asyncio  # a loop is running; who only reads sessions does not wait for it

            self._timer = asyncio.get_running_loop().call_later(PAUSE, self._flush_later)

    def _flush_before(self, record: RecordMerger) -> None:
        try:
            self.flush()
        except OSError:
            self._owed.append(record)
            raise

    def _flush_later(self) -> None:
        self._timer = None
        self._wrote_text = time.monotonic()
        # What fails now is written, or fails, with the next record, where the exchange can see it.
        with contextlib.suppress(OSError):
            self.flush()

    def flush(self) -> None:
        """Write what is held back.

        Raises:
            OSError: it cannot be written.
        """
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._owed:
            return
        records = [growing.record for growing in self._owed]
        self._append(b"".join(encode(record) + b"\n" for record in records))
        settled = any(record.state in SETTLED and record.event.type in STEPS for record in records)
        self._owed.clear()
        if settled:
            os.fsync(self._fd)

    def extend(self, records: Iterable[Record]) -> None:
        """Append many records at once, and sync the file.

        Raises:
            OSError: they cannot be written.
        """
        self.flush()
        for batch in _batches(records):
            self._append(b"".join(encode(record) + b"\n" for record in batch))
        os.fsync(self._fd)

    def _append(self, lines: bytes) -> None:
        try:
            written = os.write(self._fd, lines)
        except OSError as error:
            error.filename = error.filename or str(self._path)
            raise
        if written != len(lines):  # take back the part of a line, and nothing that somebody else may have written
            end = os.lseek(self._fd, 0, os.SEEK_CUR)
            os.ftruncate(self._fd, end - written)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))
        self.size += written

    def close(self) -> None:
        """Write what is held back and close the file, which lets the next process have it.

        Raises:
            OSError: it cannot be written; the file is closed.
        """
        try:
            self.flush()
        finally:
            os.close(self._fd)


def _batches(records: Iterable[Record]) -> Iterator[list[Record]]:
    left = iter(records)
    while batch := list(islice(left, BATCH)):
        yield batch
