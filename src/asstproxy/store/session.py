"""A session that is open for writing: its lock, its journal, its transcript."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from ..config.paths import create_private
from ..core.codec import now
from ..core.errors import SessionError, SessionInUseError
from ..core.events import Event, Notice, Record, SessionOpened, SetUserMessage, Titled
from ..core.script import ACTIVE, SETTLED, STEPS, State
from .journal import Journal
from .lock import lock, lock_holder
from .recovery import INTERRUPTED, read_journal, repaired
from .transcript import title_of
from .transcript_file import read_head
from .transcript_writer import TranscriptWriter

__all__ = ["Session", "create", "open_journal"]


class Session:
    """Subscribe it, as essential, to a conversation: it keeps every record, and the transcript when an exchange settles.

    `past` are the records that were there when it was opened; `damage` says in one line each what could not be read.
    """

    def __init__(self, path: Path, fd: int, past: list[Record], damage: list[str] | None = None) -> None:
        self.id, self.path, self.past, self.damage = path.stem, path, past, damage or []
        self._journal = Journal(fd, path)
        file = path.with_suffix(".json")
        self._scribe = TranscriptWriter(file, past, stale=read_head(file, self._journal.size) is None)
        self._title = ""
        for record in past:
            self._hear_title(record.event)

    @property
    def title(self) -> str:
        """The session's title."""
        return self._title

    @property
    def is_running(self) -> bool:
        """Whether its last exchange never settled."""
        return bool(self.past) and self.past[-1].state in ACTIVE

    def __call__(self, record: Record) -> None:
        """Keep a record.

        Raises:
            OSError: it cannot be written.
        """
        self._journal(record)
        self._scribe.feed(record)
        self._hear_title(record.event)
        if record.state in SETTLED and record.event.type in STEPS:
            self._scribe.write(self._journal.size)

    def _hear_title(self, event: object) -> None:
        if isinstance(event, Titled):
            self._title = event.title
        elif not self._title and isinstance(event, SetUserMessage):
            self._title = title_of(event.text)

    def add(self, event: Event, at: str = "") -> None:
        """Keep an event that is said outside of a conversation: what was found on opening, a new title. `at`: when, if not now.

        Raises:
            OSError: it cannot be written.
        """
        last = self.past[-1] if self.past else Record(0, "", State.NEW, event)
        state = STEPS[event.type].dest if event.type in STEPS else last.state
        record = Record(last.seq + 1, at or now(), state, event)
        self(record)
        self.past.append(record)

    def extend(self, records: Iterable[Record]) -> None:
        """Keep the records of another session, at their times; they are numbered afresh.

        Raises:
            OSError: they cannot be written.
        """
        first = self.past[-1].seq + 1 if self.past else 1
        again = [Record(seq, one.at, one.state, one.event) for seq, one in enumerate(records, first)]
        self._journal.extend(again)
        for record in again:
            self._scribe.feed(record)
            self._hear_title(record.event)
        self.past.extend(again)

    def interrupt(self) -> None:
        """Settle the exchange that a process left behind when it died.

        Raises:
            OSError: it cannot be written.
        """
        self.add(INTERRUPTED)

    def close(self) -> None:
        """Write the transcript and let the next process have the session.

        Raises:
            OSError: the journal cannot be written.
        """
        try:
            self._journal.flush()
        finally:
            self._scribe.close(self._journal.size)
            self._journal.close()


def create(path: Path, asst: str, forked_from: str = "", at: str = "") -> Session:
    """A new session, locked for us; `asst` is the version that made it. `at`: when it began, if not now.

    Raises:
        OSError: the folder or the file cannot be written; no file is left then.
    """
    fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_APPEND, 0o600)
    try:
        lock(fd)
        session = Session(path, fd, [])
        session.add(SessionOpened(path.stem, asst=asst, forked_from=forked_from), at)
    except OSError:
        os.close(fd)
        path.unlink()
        raise
    return session


def open_journal(path: Path, *, keep_running: bool = False) -> Session:
    """A session that goes on: locked for us, mended where a process died in the middle.

    A torn last line is cut (and told, and kept in `<id>.torn`), and an exchange that never settled ends as an error of the
    kind `interrupted`; with `keep_running` it is left as it is, to be attached to.

    Raises:
        SessionError: it is not there, cannot be written, is no journal or a newer asst's; or another process has it open
            (`SessionInUseError`). Nothing is changed then.
    """
    try:
        fd = os.open(path, os.O_RDWR | os.O_APPEND)
    except OSError as error:
        code = "session_not_found" if isinstance(error, FileNotFoundError) else "session_not_writable"
        raise SessionError(f"Session {path.stem} cannot be opened: {error.strerror}.", code=code) from error
    try:
        return _opened(path, fd, keep_running=keep_running)
    except BaseException:
        os.close(fd)
        raise


def _opened(path: Path, fd: int, *, keep_running: bool) -> Session:
    if not lock(fd):
        raise SessionInUseError(
            f"Session {path.stem} is open in {lock_holder(path)}.", "Close it there first.", code="session_in_use"
        )
    if os.fstat(fd).st_nlink == 0:
        raise SessionError(f"Session {path.stem} was removed just now.", code="session_not_found")
    reading = read_journal(path)
    if reading.newer:
        raise SessionError(
            f"Session {path.stem} was written by a newer asst (journal version {reading.version}).",
            "Upgrade asst, or continue in a copy.",
            code="session_newer",
        )
    if reading.torn:
        with create_private(path.with_suffix(".torn")).open("ab") as file:
            os.lseek(fd, reading.whole, os.SEEK_SET)  # not `pread`: Windows has none
            file.write(os.read(fd, reading.torn) + b"\n")
        os.ftruncate(fd, reading.whole)
    session = Session(path, fd, list(repaired(reading.records)), reading.damage)
    if not session.past:
        session.add(SessionOpened(path.stem))
    if reading.torn:
        session.add(Notice(f"A process died while it wrote: a torn last line ({reading.torn} bytes) was cut."))
    if session.is_running and not keep_running:
        session.interrupt()
    return session
