"""Reading a journal, also one that is damaged: what can be read is read, what cannot is told and left where it is.

Damage that other tools' sessions were found with, and what is made of it here: a torn last line is left out (a process died
while it wrote); a stub that a later writer glued its record to is stepped over; a line that is no record is left out; an exchange
that was never settled before the next one began (interleaved writers, a lost line) ends as an error of the kind `interrupted`,
so that no tool call stays without its result. The file is never changed by reading.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ..core.codec import decode
from ..core.errors import SessionError
from ..core.events import ErrorOccurred, Record, SessionOpened, SetUserMessage
from ..core.script import ACTIVE, STEPS, State

__all__ = ["INTERRUPTED", "JournalContents", "each_record", "read_journal", "repaired"]

INTERRUPTED = ErrorOccurred("interrupted", "The process ended before the answer was complete.", "Ask again.")
VERSION = SessionOpened("").version
"""The version of the journals that this asst writes."""


@dataclass(slots=True)
class JournalContents:
    """A journal as it stands. `damage` says in one line each what could not be read; `whole` are the bytes of whole lines."""

    path: Path
    records: list[Record] = field(default_factory=list)
    damage: list[str] = field(default_factory=list)
    whole: int = 0
    size: int = 0
    version: int = VERSION

    @property
    def torn(self) -> int:
        """Bytes after the last whole line."""
        return self.size - self.whole

    @property
    def newer(self) -> bool:
        """Whether a newer asst wrote it, in a way that this one may misunderstand."""
        return self.version > VERSION


def read_journal(path: Path) -> JournalContents:
    """Every record of a journal.

    Raises:
        SessionError: there is no such file, it cannot be read, or nothing in it is a record.
    """
    reading = JournalContents(path)
    reading.records.extend(each_record(path, reading))
    if not reading.records and reading.damage:
        raise SessionError(f"{path} is no journal: {reading.damage[0]}.", "The file was not changed.")
    return reading


def each_record(path: Path, reading: JournalContents | None = None) -> Iterator[Record]:
    """The records one by one: as much memory as one line needs, however long the session is.

    Raises:
        SessionError: there is no such file, or it cannot be read.
    """
    reading = reading or JournalContents(path)
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                reading.size += len(line)
                if not line.endswith(b"\n"):
                    return
                reading.whole += len(line)
                record = _record(line, number, reading)
                if record is not None:
                    yield record
    except OSError as error:
        raise SessionError(f"{path} cannot be read: {error.strerror}.", code="session_unreadable") from error


def _record(line: bytes, number: int, reading: JournalContents) -> Record | None:
    if not line.strip():
        return None
    try:
        record = decode(line)
    except (ValueError, RecursionError) as error:
        reading.damage.append(f"line {number} is damaged: {error}")
        return _glued(line)
    if isinstance(record.event, SessionOpened):
        reading.version = max(reading.version, record.event.version)
    return record


def _glued(line: bytes) -> Record | None:
    """The whole record that stands behind the stub of another one."""
    at = line.rfind(b'{"seq":')
    if at <= 0:
        return None
    try:
        return decode(line[at:])
    except (ValueError, RecursionError):
        return None


def repaired(records: Iterable[Record]) -> Iterator[Record]:
    """The same records, each exchange of them settled before the next one begins; one that is under way stays so."""
    state = State.NEW
    for record in records:
        if state in ACTIVE and isinstance(record.event, SetUserMessage):
            yield Record(record.seq, record.at, State.ERROR, INTERRUPTED)
        if record.event.type in STEPS:
            state = record.state
        yield record
