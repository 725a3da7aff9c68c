"""The journal of a batch: the records of every item in one file, `OUT.asst/journal.jsonl`, which only grows.

Each time an item is asked is an *attempt* with a number. Its lines are `{"attempt":7,"begin":{…}}`, then its records as in a
session file with `"attempt":7,` in front, then `{"attempt":7,"end":"…"}`.
An attempt without an end was in flight when its process died. Lines that begin with `{"job":` are those of `jobs`.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from .._version import __version__
from ..config.atomic import open_new
from ..config.child_processes import close_in_children, closed
from ..config.paths import private_dir, sync_folder
from ..core.codec import decode, encode
from ..core.errors import SessionInUseError, UsageError
from ..core.events import Record
from ..store.lock import lock, lock_holder
from .appending import append_whole
from .asked import Asked

__all__ = [
    "AGAIN",
    "APPEND",
    "JOURNAL",
    "PACKED",
    "Attempt",
    "BatchJournal",
    "Begin",
    "Head",
    "Mark",
    "each_mark",
    "find_item",
    "folder_of",
    "mark_at",
    "open_journal",
    "read_head",
    "records_at",
    "records_of",
]

JOURNAL = "journal.jsonl"
AGAIN = "again"
"""How an attempt ends whose item is to be asked once more."""
PACKED = "packed"
"""How an attempt ends whose request is in a batch at the provider."""
FORMAT, VERSION = "asst-batch", 1
APPEND = os.O_RDWR | os.O_APPEND | getattr(os, "O_BINARY", 0)
"""How the files of a batch are opened."""


class Head(msgspec.Struct):
    """The first line of a journal. `form`: of the output's lines."""

    format: str = FORMAT
    version: int = VERSION
    asst: str = __version__
    form: str = "asst"
    asked: Asked | None = None


class Begin(msgspec.Struct, frozen=True):
    """What an attempt asks: the id of the item, and the fingerprint of its body (hexadecimal)."""

    id: str
    body: str


class Mark(msgspec.Struct, frozen=True):
    """A line that begins an attempt, or ends it, with its place in the file.

    `end` is a state, `again` (ask it once more), or `packed`: the request is part of the provider's batch `job`.
    """

    attempt: int
    at: int
    until: int
    begin: Begin | None = None
    end: str = ""
    job: int = 0


class _Mark(msgspec.Struct):
    attempt: int
    begin: Begin | None = None
    end: str = ""
    job: int = 0


_mark = msgspec.json.Decoder(_Mark)


def folder_of(out: Path) -> Path:
    """The folder of a batch that writes this file."""
    return out.parent / f"{out.name}.asst"  # `.` and `/` have no name to replace


class Attempt:
    """Subscribe it, as essential, to the conversation of an item: it saves the records."""

    def __init__(self, journal: BatchJournal, number: int, begin: int) -> None:
        self.number, self.begin = number, begin
        self._journal = journal
        self._prefix = b'{"attempt":%d,' % number

    def __call__(self, record: Record) -> None:
        """Save a record.

        Raises:
            OSError: the journal can't be written.
        """
        self._journal.append(self._prefix + encode(record)[1:] + b"\n")

    def end(self, state: str) -> int:
        """Save that it is over; returns where its lines end.

        Raises:
            OSError: the journal can't be written.
        """
        return self._journal.append(b'%b"end":"%b"}\n' % (self._prefix, state.encode()))

    def pack(self, job: int) -> int:
        """Save that its request is part of this batch at the provider; the answer gets an attempt of its own.

        Raises:
            OSError: the journal can't be written.
        """
        return self._journal.append(b'%b"end":"%b","job":%d}\n' % (self._prefix, PACKED.encode(), job))


class BatchJournal:
    """The journal, open for writing and locked by this process. `head` is its first line.

    Lines are written when the event loop is idle, some milliseconds later at most. `sync` makes them last.
    """

    def __init__(self, fd: int, path: Path, head: Head, size: int) -> None:
        self.path, self.head = path, head
        self._fd, self._size = fd, size
        self._lines: list[bytes] = []
        self._waiting = 0  # bytes in _lines
        self._scheduled = False
        self._failure: OSError | None = None
        self._attempts = 0
        close_in_children(fd)

    def begin(self, item: str, body: int) -> Attempt:
        """Begin an attempt at an item.

        Raises:
            OSError: the journal can't be written.
        """
        self._attempts += 1
        at = self._size + self._waiting
        self.append(b'{"attempt":%d,"begin":%b}\n' % (self._attempts, msgspec.json.encode(Begin(item, f"{body:016x}"))))
        return Attempt(self, self._attempts, at)

    @property
    def next_attempt(self) -> int:
        """The number of the attempt that `begin` begins next."""
        return self._attempts + 1

    def resume(self, number: int, begin: int) -> Attempt:
        """An attempt that an earlier process began."""
        return Attempt(self, number, begin)

    def attempts_known(self, number: int) -> None:
        """Give new attempts higher numbers than this one."""
        self._attempts = max(self._attempts, number)

    def append(self, line: bytes) -> int:
        """Add a line; returns where it ends.

        Raises:
            OSError: earlier lines can't be written.
        """
        if self._failure is not None:
            raise self._failure
        self._lines.append(line)
        self._waiting += len(line)
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._write_later)
        return self._size + self._waiting

    def _write_later(self) -> None:
        self._scheduled = False
        try:
            self.write()
        except OSError as error:  # the next line raises it
            self._failure = error

    def write(self) -> None:
        """Write what waits.

        Raises:
            OSError: it can't be written; only whole lines are in the file.
        """
        if not self._lines:
            return
        data = b"".join(self._lines)
        append_whole(self._fd, data, self.path)
        self._lines.clear()
        self._size += len(data)
        self._waiting = 0

    def sync(self) -> None:
        """Make what is written last, also after a power cut. Call it in a thread.

        Raises:
            OSError: the disk fails.
        """
        os.fsync(self._fd)

    def close(self) -> None:
        """Write what waits, and release the lock.

        Raises:
            OSError: it can't be written; the file is closed.
        """
        try:
            self.write()
            self.sync()
        finally:
            closed(self._fd)
            os.close(self._fd)


def open_journal(out: Path, form: str, asked: Asked | None = None) -> BatchJournal:
    """The journal of the batch that writes `out`, which is made if there is none; a torn last line is cut.

    `form` and `asked` are for the first line of a new one.

    Raises:
        SessionInUseError: another process works on the batch.
        UsageError: it is of a newer asst, or isn't a journal.
        OSError: it can't be written.
    """
    folder = private_dir(folder_of(out))
    path = folder / JOURNAL
    try:
        fd = open_new(path, APPEND)
    except FileExistsError:
        fd = os.open(path, APPEND)
    try:
        if not lock(fd):
            raise SessionInUseError(
                f"{out} is being written by {lock_holder(path)}.",
                "Wait for it.",
                code="batch_in_use",
                data={"out": str(out)},
            )
        size = _cut(fd, path)
        if not size:
            head = Head(form=form, asked=asked)
            line = msgspec.json.encode(head) + b"\n"
            append_whole(fd, line, path)
            os.fsync(fd)
            sync_folder(folder)
            return BatchJournal(fd, path, head, len(line))
        return BatchJournal(fd, path, read_head(path), size)
    except BaseException:
        os.close(fd)
        raise


def _cut(fd: int, path: Path) -> int:
    """Cut a torn last line; the size of what remains."""
    size = end = os.fstat(fd).st_size
    with path.open("rb") as file:
        while end > 0:
            start = max(end - 65536, 0)
            file.seek(start)
            found = file.read(end - start).rfind(b"\n")
            if found >= 0:
                end = start + found + 1
                break
            end = start
    if end != size:
        os.ftruncate(fd, end)
    return end


def read_head(path: Path) -> Head:
    """The first line of a journal.

    Raises:
        UsageError: it isn't one, or it is of a newer asst.
        OSError: it can't be read.
    """
    with path.open("rb") as file:
        line = file.readline()
    try:
        head = msgspec.json.decode(line, type=Head)
    except ValueError:
        raise UsageError(f"{path} isn't the journal of a batch.", "Choose another output file.") from None
    if head.format != FORMAT or head.version > VERSION:
        raise UsageError(f"{path} was written by a newer asst.", "Upgrade asst.")
    return head


# ---- reading -----------------------------------------------------------------------------------------------------------


def each_mark(path: Path) -> Iterator[Mark]:
    """The lines that begin and end attempts, in the order of the file. What is damaged is left out.

    Raises:
        OSError: it can't be read.
    """
    at = 0
    with path.open("rb") as file:
        for line in file:
            until = at + len(line)
            if line.startswith(b'{"attempt":'):
                comma = line.find(b",", 0, 40)
                if line.startswith((b'"begin"', b'"end"'), comma + 1):
                    try:
                        mark = _mark.decode(line)
                    except ValueError:
                        mark = None
                    if mark is not None:
                        yield Mark(mark.attempt, at, until, mark.begin, mark.end, mark.job)
            at = until


def records_at(path: Path, attempt: int, begin: int) -> list[Record]:
    """The records of an attempt that begins at this place.

    Raises:
        OSError: the journal can't be read.
    """
    prefix, records = b'{"attempt":%d,' % attempt, []
    with path.open("rb") as file:
        file.seek(begin)
        for line in file:
            if line.startswith(prefix + b'"seq":') and line.endswith(b"\n"):
                try:
                    records.append(decode(line))
                except (ValueError, RecursionError):
                    continue
            elif line.startswith(prefix + b'"end":'):
                break
    return records


def records_of(path: Path, attempts: Mapping[int, int]) -> dict[int, list[Record]]:
    """The records of attempts by their numbers, read in one go; the values say where each of them begins.

    Raises:
        OSError: the journal can't be read.
    """
    found: dict[int, list[Record]] = {number: [] for number in attempts}
    if not attempts:
        return found
    with path.open("rb") as file:
        file.seek(min(attempts.values()))
        for line in file:
            prefix, comma, rest = line[:40].partition(b",")
            number = prefix.removeprefix(b'{"attempt":')
            if comma and rest.startswith(b'"seq":') and number.isdigit() and int(number) in found:
                try:
                    found[int(number)].append(decode(line))
                except (ValueError, RecursionError):
                    continue
    return found


def mark_at(path: Path, begin: int) -> Mark:
    """The line there, which begins an attempt.

    Raises:
        OSError: the journal can't be read.
    """
    with path.open("rb") as file:
        file.seek(begin)
        mark = _mark.decode(file.readline())
    return Mark(mark.attempt, begin, begin, mark.begin, mark.end)


def find_item(path: Path, item: str) -> list[Record]:
    """The records of the last attempt at an item; none if it was never asked.

    Raises:
        OSError: the journal can't be read.
    """
    found = None
    for mark in each_mark(path):
        if mark.begin is not None and mark.begin.id == item:
            found = mark
    return records_at(path, found.attempt, found.at) if found is not None else []
