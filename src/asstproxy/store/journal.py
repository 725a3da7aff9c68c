"""The journal: the truth about a session. One record a line, appended before any other subscriber gets the record."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from ..config.child_processes import close_in_children, closed
from ..config.paths import sync_folder
from ..core.coalesce import RecordMerger
from ..core.codec import encode
from ..core.events import Record, SetUserMessage
from ..core.script import SETTLED, STEPS
from .background_sync import BackgroundSync

if TYPE_CHECKING:
    import asyncio

__all__ = ["Journal"]

PAUSE = 0.008
"""Seconds between two lines of streamed text: neighbouring chunks are written as one record. A steady stream is read every
40 ms (see `providers.transport.coalescing`), and each read is written at once; that is what `kill -9` may cost."""


class Journal:
    """A subscriber that appends every record to an open file, with one unbuffered write each.

    The file is synced to the disk before the message is sent (a power cut must not lose the question), when an exchange
    settles, and about once a second while an answer arrives, on a thread of its own. A write that fails (disk full) raises
    `OSError` and leaves only whole lines; what could not be written is kept and written before the next record, so that no
    line is ever missing in the middle. A file that was deleted meanwhile takes no message. `size` is the length of the file in
    bytes.
    """

    def __init__(self, fd: int, path: Path) -> None:
        self._fd, self._path = fd, path
        self.size = os.fstat(fd).st_size
        self._is_new = not self.size  # then its name must last, too
        self._pending: list[RecordMerger] = []  # only the last one still grows
        self._timer: asyncio.Handle | None = None
        self._text_written = 0.0
        self._failure: OSError | None = None  # of a write that nobody waited for
        self._sync = BackgroundSync(fd)
        close_in_children(fd)

    @property
    def is_deleted(self) -> bool:
        """Whether nobody would find what is written from now on; False once it is closed."""
        try:
            return os.fstat(self._fd).st_nlink == 0
        except OSError:
            return False

    def __call__(self, record: Record) -> None:
        """Append a record; streamed text may wait up to `PAUSE` seconds.

        Raises:
            OSError: it can't be written, or text before it could not be.
        """
        self._raise_failure()
        if not (self._pending and self._pending[-1].absorb(record)):
            merger = RecordMerger(record)
            if self._pending:
                self._flush_before(merger)
            self._pending.append(merger)
            if not merger.is_text:
                self.flush()
                return
        if self._timer is None:
            import asyncio  # here a loop is running; commands that only read sessions don't load it

            loop = asyncio.get_running_loop()
            wait = self._text_written + PAUSE - time.monotonic()
            # Chunks that were read together arrive in one turn of the loop; after it, one write has them all.
            self._timer = loop.call_later(wait, self._flush_later) if wait > 0 else loop.call_soon(self._flush_later)

    def _flush_before(self, merger: RecordMerger) -> None:
        try:
            self.flush()
        except OSError:
            self._pending.append(merger)
            raise

    def _flush_later(self) -> None:
        self._timer = None
        self._text_written = time.monotonic()
        try:
            self.flush()
        except OSError as error:  # the next chunk raises it, where the exchange notices: nothing more is shown then
            self._failure = error

    def _raise_failure(self) -> None:
        if self._failure is not None:
            failure, self._failure = self._failure, None
            if not self._pending:  # it was written, and could not be synced
                raise failure
            try:
                self.flush()  # there may be room again
            except OSError:
                raise failure from None

    def flush(self) -> None:
        """Write what is pending.

        Raises:
            OSError: it can't be written.
        """
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._pending:
            return
        records = [merger.record for merger in self._pending]
        if any(isinstance(record.event, SetUserMessage) for record in records) and self.is_deleted:
            raise FileNotFoundError(errno.ENOENT, "it was deleted while it was open", str(self._path))
        self._append(b"".join(encode(record) + b"\n" for record in records))
        must_last = any(_must_last(record) for record in records)
        self._pending.clear()
        if must_last:
            self._sync.now()
            if self._is_new:
                sync_folder(self._path.parent)
                self._is_new = False
        else:
            self._sync.soon()

    def _append(self, lines: bytes) -> None:
        try:
            written = os.write(self._fd, lines)
        except OSError as error:
            error.filename = error.filename or str(self._path)
            raise
        if written != len(lines):  # remove the partial line, and nothing that another process may have written
            end = os.lseek(self._fd, 0, os.SEEK_CUR)
            os.ftruncate(self._fd, end - written)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))
        self.size += written

    def close(self) -> None:
        """Write what is pending and close the file, which releases its lock. A second time, nothing happens.

        Raises:
            OSError: it can't be written; the file is closed.
        """
        try:
            if not self.is_deleted:
                self.flush()
        finally:
            self._sync.stop()
            fd, self._fd = self._fd, -1  # the system soon gives the number to another file
            if fd >= 0:
                closed(fd)
                os.close(fd)


def _must_last(record: Record) -> bool:
    """Whether a power cut must not lose this record: the question before it is sent, and how its exchange ended."""
    return isinstance(record.event, SetUserMessage) or (record.state in SETTLED and record.event.type in STEPS)
