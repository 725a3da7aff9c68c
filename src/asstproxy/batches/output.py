"""The output of a batch: one whole line for each item that has settled, each item once."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec

from ..config.atomic import open_new
from ..config.paths import sync_folder
from ..core.codec import ascii_json
from ..core.errors import UsageError
from .appending import append_whole
from .journal import APPEND
from .ledger import Ledger, Status, end_of
from .openai_lines import to_openai
from .result import BatchLine, Result

__all__ = ["Output", "OutputForm", "line_of"]

OutputForm = Literal["asst", "openai"]
WINDOW = 4096
"""Items that may be ahead of the first unfinished one when the output keeps the order of the input."""


class _Ids(msgspec.Struct):
    id: str = ""
    custom_id: str = ""


_ids = msgspec.json.Decoder(_Ids)


def line_of(result: Result, form: OutputForm) -> bytes:
    """The line of a result: ASCII JSON with its line end."""
    return ascii_json(msgspec.json.encode(to_openai(result) if form == "openai" else BatchLine.of(result))) + b"\n"


class Output:
    """The file that the results go to, in the order in which they come or (`ordered`) in that of the input.

    What it has of an earlier run is noted in the ledger. A torn last line is cut, and so is, if `ordered`, all that is out of
    order: those lines are not noted, so they are written once more, from the journal.

    Raises:
        UsageError: the file has lines that aren't of this batch.
        OSError: it can't be opened.
    """

    def __init__(self, path: Path, form: OutputForm, ledger: Ledger, *, ordered: bool = False) -> None:
        self.path, self._form, self._ledger, self._ordered = path, form, ledger, ordered
        self._lines: list[tuple[int, bytes]] = []
        self._held: dict[int, bytes] = {}
        self._room = asyncio.Event()
        self._fd = _open(path)
        try:
            self._scan()
        except BaseException:
            os.close(self._fd)
            raise
        self._next = self._first_unwritten(0)

    def _scan(self) -> None:
        end = kept = following = 0
        with self.path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n") or b"\0" in line:  # torn, or of a file system that lost its power
                    break
                end += len(line)
                number = self._number(line)
                if number is None or self._ledger.status(number) == Status.WAITING:
                    raise UsageError(f"{self.path} has lines that aren't of this batch.", "Choose another output file.")
                if self._ordered and (number != following or kept + len(line) != end):
                    continue
                kept, following = end, following + 1
                self._ledger.mark_written(number)
        os.ftruncate(self._fd, kept)

    def _number(self, line: bytes) -> int | None:
        try:
            ids = _ids.decode(line)
        except ValueError:
            return None
        return self._ledger.find(ids.custom_id or ids.id)

    def _first_unwritten(self, start: int) -> int:
        while start < len(self._ledger) and self._ledger.is_written(start):
            start += 1
        return start

    def add(self, number: int, result: Result) -> None:
        """Take the result of an item, to be written next."""
        line = line_of(result, self._form)
        if self._ordered:
            self._held[number] = line
        else:
            self._lines.append((number, line))

    @property
    def has_lines(self) -> bool:
        """Whether there is something to write."""
        return bool(self._lines) or (self._ordered and self._next in self._held)

    def take(self) -> list[tuple[int, bytes]]:
        """The lines to be written now, which `write` gets once their records are safe."""
        lines, self._lines = self._lines, []
        while self._ordered and (line := self._held.pop(self._next, None)) is not None:
            lines.append((self._next, line))
            self._next = self._first_unwritten(self._next + 1)
        self._room.set()
        return lines

    def write(self, lines: list[tuple[int, bytes]]) -> None:
        """Append lines.

        Raises:
            OSError: they can't be written; the file has none of them.
        """
        if lines:
            append_whole(self._fd, b"".join(line for _, line in lines), self.path)
            for number, _ in lines:
                self._ledger.mark_written(number)

    async def room_for(self, number: int) -> None:
        """Wait until the item isn't too far ahead of the first unfinished one."""
        while self._ordered and number > self._next + WINDOW:
            self._room.clear()
            await self._room.wait()

    def reopen_failed(self, most: int | None) -> None:
        """Let failed items wait again, and take their lines out: those among the first `most` items to ask; all without it.

        Raises:
            OSError: the file can't be written; nothing has changed.
        """
        if not self._ledger.count(Status.FAILED):
            return
        end = end_of(self._ledger, most)
        self._remove(lambda number: number < end and self._ledger.status(number) is Status.FAILED)
        self._ledger.reopen_failed(end)

    def _remove(self, dropped: Callable[[int], bool]) -> None:
        """Take the lines of these items out again; in an ordered file, those after the first one, too.

        Raises:
            OSError: the file can't be written; it is unchanged.
        """
        path = self.path.resolve()  # a symbolic link stays one
        temporary, ending = path.with_name(f".{path.name}.tmp"), False
        temporary.unlink(missing_ok=True)
        removed: list[int] = []
        try:
            with path.open("rb") as file, os.fdopen(open_new(temporary, os.O_WRONLY), "wb") as copy:
                for line in file:
                    number = self._number(line)
                    if number is None or ending or dropped(number):
                        ending = self._ordered
                        removed += [] if number is None else [number]
                    else:
                        copy.write(line)
                copy.flush()
                os.fsync(copy.fileno())
            temporary.chmod(stat.S_IMODE(path.stat().st_mode))
            fd, self._fd = self._fd, -1
            os.close(fd)  # Windows replaces no open file
            try:
                temporary.replace(path)
            finally:
                self._fd = os.open(path, APPEND)
            sync_folder(path.parent)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        for number in removed:
            self._ledger.mark_written(number, written=False)
        self._next = self._first_unwritten(0)

    def close(self) -> None:
        """Make what is written last, and close the file.

        Raises:
            OSError: the disk fails; the file is closed.
        """
        try:
            os.fsync(self._fd)
        finally:
            os.close(self._fd)


def _open(path: Path) -> int:
    try:
        return open_new(path, APPEND)
    except FileExistsError:
        return os.open(path, APPEND)
