"""A session that is open for writing: its lock, its journal, its transcript."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path

from .clock import now
from .codec import decode
from .errors import SessionError
from .events import ErrorOccurred, Event, Notice, Record, SessionOpened
from .journal import Journal
from .lock import holder, lock
from .script import ACTIVE, SETTLED, STEPS, State
from .transcript import Fold, to_json

__all__ = ["Session", "create", "open_journal", "read_records"]


class Session:
    """Subscribe it, as essential, to a conversation: it keeps every record, and the transcript when an exchange settles.

    `past` are the records that were there when it was opened.
    """

    def __init__(self, path: Path, fd: int, past: list[Record]) -> None:
        self.id, self.path, self.past = path.stem, path, past
        self._journal = Journal(fd, path)
        self._fold = Fold(path.stem)
        for record in past:
            self._fold.feed(record)
        self._stale = not path.with_suffix(".json").exists()
        self._writer: threading.Thread | None = None

    @property
    def title(self) -> str:
        """The session's title."""
        return self._fold.transcript.title

    def __call__(self, record: Record) -> None:
        """Keep a record."""
        self._journal(record)
        self._fold.feed(record)
        self._stale = True
        if record.state in SETTLED and record.event.type in STEPS:
            # The file grows with the session, so nobody waits for it. Its bytes are made here, where nothing changes them.
            self._wait()
            self._writer = threading.Thread(target=self._save, args=(to_json(self._fold.transcript),))
            self._writer.start()

    def add(self, event: Event) -> None:
        """Keep an event that is said outside of a conversation: what was found on opening, a new title."""
        last = self.past[-1] if self.past else Record(0, "", State.NEW, event)
        state = STEPS[event.type].dest if event.type in STEPS else last.state
        record = Record(last.seq + 1, now(), state, event)
        self(record)
        self.past.append(record)

    def _save(self, data: bytes) -> None:
        self._stale = False
        _replace(self.path.with_suffix(".json"), data)

    def _wait(self) -> None:
        if self._writer is not None:
            self._writer.join()

    def close(self) -> None:
        """Write the transcript and let the next process have the session."""
        self._wait()
        if self._stale:
            self._save(to_json(self._fold.transcript))
        self._journal.close()


def create(path: Path, asst: str) -> Session:
    """A new session, locked for us; `asst` is the version that made it.

    Raises:
        OSError: the folder or the file cannot be written.
    """
    fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_APPEND, 0o600)
    lock(fd)
    session = Session(path, fd, [])
    session.add(SessionOpened(path.stem, asst=asst))
    return session


def open_journal(path: Path) -> Session:
    """A session that goes on: locked for us, mended where a process died in the middle.

    A torn last line is cut, and an exchange that never settled ends as an error of the kind `interrupted`.

    Raises:
        SessionError: another process has it open, or a line is damaged (nothing is changed then).
        OSError: it cannot be written.
    """
    fd = os.open(path, os.O_RDWR | os.O_APPEND)
    try:
        if not lock(fd):
            raise SessionError(
                f"Session {path.stem} is open in {holder(path)}.", "Wait until it ends, or start a session of your own."
            )
        records, whole = _decoded(path)
        torn = os.fstat(fd).st_size - whole
        if torn:
            os.ftruncate(fd, whole)
    except BaseException:
        os.close(fd)
        raise
    session = Session(path, fd, records)
    if torn:
        session.add(Notice(f"A process died while it wrote: the torn last line ({torn} bytes) was cut."))
    if records and session.past[-1].state in ACTIVE:
        session.add(
            ErrorOccurred("interrupted", "The process ended before the answer was complete.", "/retry asks again.")
        )
    return session


def read_records(path: Path) -> list[Record]:
    """The records of a journal, as it stands; it is not locked. A torn last line is left out.

    Raises:
        SessionError: a line is damaged; the message names the file and the line.
    """
    return _decoded(path)[0]


def _decoded(path: Path) -> tuple[list[Record], int]:
    """The records, and the number of bytes up to the end of the last whole line."""
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    records = []
    for number, line in enumerate(data[:whole].splitlines(), 1):
        try:
            records.append(decode(line))
        except ValueError as error:
            raise SessionError(f"{path}, line {number}, is damaged: {error}.", "The file was not changed.") from error
    return records, whole


def _replace(path: Path, data: bytes) -> None:
    """Write a file so that there is always a whole one, the old or the new."""
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        with open(os.open(temporary, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        # The journal has everything: the transcript is folded again when the session is next opened.
        with contextlib.suppress(OSError):
            temporary.unlink()
