"""The output of a batch from the database: the lines of its items in their order, and the journal as an embedded batch has it."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ...config.atomic import open_new
from ...core.errors import UsageError
from ..appending import append_whole
from ..asked import Asked
from ..journal import each_mark, open_journal
from ..output import OutputForm, line_of
from ..past import require_same
from .collect import each_settled, ready

if TYPE_CHECKING:
    from psycopg import AsyncConnection

__all__ = ["OrderedOutput"]


class _Ids(msgspec.Struct):
    id: str = ""
    custom_id: str = ""


class OrderedOutput:
    """The file and the journal of a batch, open for writing. `lines`: how many items the file has.

    Raises:
        UsageError: it was begun with another form, or asked otherwise.
        SessionInUseError: another process writes the batch.
        OSError: a file can't be opened.
    """

    def __init__(self, out: Path, form: OutputForm, asked: Asked, *, retry_failed: bool = False) -> None:
        self._form, self.path = form, out
        self._journal = open_journal(out, form, asked)
        try:
            require_same(self._journal.head, out, form, asked, retry_failed=retry_failed)
            for mark in each_mark(self._journal.path):
                self._journal.attempts_known(mark.attempt)
            self._fd = _open(out)
        except BaseException:
            self._journal.close()
            raise
        self.lines, self._last = self._scan()
        self._found = self.lines

    def _scan(self) -> tuple[int, str]:
        """How many whole lines the file has, and the id in the last one; a torn one after it is cut."""
        count, end, last = 0, 0, b""
        with self.path.open("rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    count, end, last = count + 1, end + len(line), line
        os.ftruncate(self._fd, end)
        try:
            ids = msgspec.json.decode(last, type=_Ids) if last else _Ids()
        except ValueError:
            ids = _Ids()
        return count, ids.custom_id or ids.id

    async def check(self, connection: AsyncConnection[Any], batch: int) -> None:
        """Check that the lines of the file are those of this batch; cut what has been asked again since.

        Raises:
            UsageError: they aren't.
            psycopg.Error: the database failed.
        """
        settled = await ready(connection, batch)
        if self._found:
            row = await (
                await connection.execute(
                    "SELECT id FROM batch_item WHERE batch = %s AND n = %s", (batch, self._found - 1)
                )
            ).fetchone()
            if row is None or row[0] != self._last:
                raise UsageError(f"{self.path} has lines that aren't of this batch.", "Choose another output file.")
        self.cut(settled)

    def cut(self, lines: int) -> None:
        """Leave so many lines, if the file has more; `collect` writes the others anew."""
        if lines < self.lines:
            with self.path.open("rb") as file:
                end = sum(len(file.readline()) for _ in range(lines))
            os.ftruncate(self._fd, end)
            self.lines = lines

    async def collect(self, connection: AsyncConnection[Any], batch: int) -> None:
        """Write the lines of the items that have settled, up to the first one that hasn't.

        Raises:
            OSError: a file can't be written; only whole lines are in it.
            psycopg.Error: the database failed.
        """
        high = await ready(connection, batch)
        if high <= self.lines:
            return
        async for some in each_settled(connection, batch, self.lines, high):
            for item in some:
                attempt = self._journal.begin(item.result.id, item.body & (1 << 64) - 1)
                for line in item.records.splitlines(keepends=True):
                    self._journal.append(b'{"attempt":%d,%b' % (attempt.number, line[1:]))
                attempt.end(item.result.state.value)
            self._journal.write()
            await asyncio.to_thread(self._journal.sync)
            append_whole(self._fd, b"".join(line_of(item.result, self._form) for item in some), self.path)
            self.lines += len(some)

    def close(self) -> None:
        """Make what is written last, and close the files.

        Raises:
            OSError: the disk fails; the files are closed.
        """
        try:
            os.fsync(self._fd)
        finally:
            os.close(self._fd)
            self._journal.close()


def _open(path: Path) -> int:
    try:
        return open_new(path, os.O_RDWR | os.O_APPEND)
    except FileExistsError:
        return os.open(path, os.O_RDWR | os.O_APPEND)
