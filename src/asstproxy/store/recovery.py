"""Reading a journal, also a damaged one: what can be read is read; what can't is reported and left in the file.

The kinds of damage are those that sessions of other tools were found with:

- a torn last line (the process died while it wrote) is left out;
- a stub that the next writer glued its record to is skipped, and the record is read;
- a line that isn't a record is left out;
- an exchange that never settled before the next one began (interleaved writers, a lost line) ends as an error of the kind
  `interrupted`, so that no tool call is left without its result: a provider would refuse the conversation forever.

Reading never changes the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ..core.codec import decode
from ..core.errors import SessionError
from ..core.events import ErrorOccurred, Record, SessionOpened, SetUserMessage
from ..core.script import ACTIVE, STEPS, State

__all__ = ["INTERRUPTION", "JournalContents", "each_record", "read_journal", "repaired"]

INTERRUPTION = ErrorOccurred("interrupted", "The process ended before the answer was complete.", "Ask again.")
VERSION = SessionOpened("").version
"""The version of the journals that this asst writes."""


@dataclass(slots=True)
class JournalContents:
    """What is in a journal. `damage` has one line for each part that can't be read.

    `size` is the length of the file in bytes; `whole`, without what follows the last line end.
    """

    path: Path
    records: list[Record] = field(default_factory=list)
    damage: list[str] = field(default_factory=list)
    whole: int = 0
    size: int = 0
    version: int = VERSION

    @property
    def torn(self) -> int:
        """Bytes after the last line end."""
        return self.size - self.whole

    @property
    def is_newer(self) -> bool:
        """Whether a newer asst wrote it, so that this one may misunderstand it."""
        return self.version > VERSION


def read_journal(path: Path) -> JournalContents:
    """Every record of a journal.

    Raises:
        SessionError: the file doesn't exist, can't be read, or has no record in it.
    """
    contents = JournalContents(path)
    contents.records.extend(each_record(path, contents))
    if not contents.records and contents.damage:
        raise SessionError(f"{path} isn't a session of asst: {contents.damage[0]}.", "The file was not changed.")
    return contents


def each_record(path: Path, contents: JournalContents | None = None) -> Iterator[Record]:
    """The records one by one, which takes the memory of one line, however long the session is.

    `contents` is filled with everything but the records.

    Raises:
        SessionError: the file doesn't exist, or can't be read.
    """
    contents = contents or JournalContents(path)
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                contents.size += len(line)
                if not line.endswith(b"\n"):
                    return
                contents.whole += len(line)
                record = _record(line, number, contents)
                if record is not None:
                    yield record
    except OSError as error:
        raise SessionError(f"{path} can't be read: {error.strerror}.", code="session_unreadable") from error


def _record(line: bytes, number: int, contents: JournalContents) -> Record | None:
    if not line.strip():
        return None
    try:
        record = decode(line)
    except (ValueError, RecursionError) as error:
        contents.damage.append(f"line {number} is damaged: {error}")
        return _after_stub(line)
    if isinstance(record.event, SessionOpened):
        contents.version = max(contents.version, record.event.version)
    return record


def _after_stub(line: bytes) -> Record | None:
    """The whole record that follows the stub of another one in the same line."""
    at = line.rfind(b'{"seq":')
    if at <= 0:
        return None
    try:
        return decode(line[at:])
    except (ValueError, RecursionError):
        return None


def repaired(records: Iterable[Record]) -> Iterator[Record]:
    """The same records, with every exchange settled before the next one begins; the last one may still be running."""
    state = State.NEW
    for record in records:
        if state in ACTIVE and isinstance(record.event, SetUserMessage):
            yield Record(record.seq, record.at, State.ERROR, INTERRUPTION)
        if record.event.type in STEPS:
            state = record.state
        yield record
