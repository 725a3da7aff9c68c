"""A session that is open for writing: its lock, its journal, its transcript.

The lock is on the journal itself (see `lock`).
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path

from ..config.atomic import append_private, open_new, write_new
from ..core.codec import encode, now
from ..core.errors import SessionError, SessionInUseError
from ..core.events import Event, Notice, Record, SessionOpened, SetUserMessage, Titled
from ..core.script import ACTIVE, SETTLED, STEPS, State
from .journal import Journal
from .lock import lock, lock_holder
from .session_files import SessionFiles
from .transcript import message_title
from .transcript_file import read_head
from .transcript_writer import TranscriptWriter

__all__ = ["Session", "create", "create_copy", "open_journal"]


class Session:
    """Subscribe it, as essential, to a conversation: it saves every record, and the transcript when an exchange settles.

    `past` are the records that were there when it was opened; `damage` has one line for each part that can't be read.
    """

    def __init__(self, path: Path, fd: int, past: list[Record], damage: list[str] | None = None) -> None:
        self.id, self.path, self.past, self.damage = path.stem, path, past, damage or []
        self.files = SessionFiles(path)
        """Its attachments."""
        self._journal = Journal(fd, path)
        file = path.with_suffix(".json")
        self._transcript = TranscriptWriter(file, past, stale=read_head(file, self._journal.size) is None)
        self._title, self._has_exchange = "", False
        for record in past:
            self._update_title(record.event)

    @property
    def title(self) -> str:
        """The session's title."""
        return self._title

    @property
    def has_exchange(self) -> bool:
        """Whether anything was ever asked in it."""
        return self._has_exchange

    @property
    def is_running(self) -> bool:
        """Whether its last exchange has not settled."""
        return bool(self.past) and self.past[-1].state in ACTIVE

    @property
    def is_deleted(self) -> bool:
        """Whether somebody deleted its file while it was open. It takes no message then."""
        return self._journal.is_deleted

    def __call__(self, record: Record) -> None:
        """Save a record.

        Raises:
            OSError: it can't be written.
        """
        self._journal(record)
        self._transcript.feed(record)
        self._update_title(record.event)
        if record.state in SETTLED and record.event.type in STEPS:
            self._transcript.write(self._journal.size)

    def _update_title(self, event: object) -> None:
        if isinstance(event, Titled):
            self._title = event.title
        elif isinstance(event, SetUserMessage):
            self._has_exchange = True
            self._title = self._title or message_title(event)

    def add(self, event: Event, at: str = "") -> None:
        """Save an event from outside of a conversation: what was found on opening, a new title. `at`: when, if not now.

        Raises:
            OSError: it can't be written.
        """
        last = self.past[-1] if self.past else Record(0, "", State.NEW, event)
        state = STEPS[event.type].dest if event.type in STEPS else last.state
        record = Record(last.seq + 1, at or now(), state, event)
        self(record)
        self.past.append(record)

    def interrupt(self) -> None:
        """Settle the exchange that a process left running when it died.

        Raises:
            OSError: it can't be written.
        """
        from .recovery import INTERRUPTION

        self.add(INTERRUPTION)

    def discard(self) -> None:
        """Close it and delete its file: nothing was ever asked in it.

        Raises:
            OSError: it can't be deleted.
        """
        self.files.remove()
        if os.name != "nt":  # while it is locked; Windows deletes no open file
            self.path.unlink()
        try:
            self._journal.close()
        finally:
            self.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Write the transcript and release the lock.

        Raises:
            OSError: the journal can't be written.
        """
        try:
            if not self.is_deleted:
                self._journal.flush()
        finally:
            if not self.is_deleted:
                self._transcript.close(self._journal.size)
            self._journal.close()


# ---- opening -----------------------------------------------------------------------------------------------------------


def create(path: Path, asst: str, at: str = "") -> Session:
    """A new session, locked by this process; `asst` is the version that creates it. `at`: when it began, if not now.

    Raises:
        OSError: the folder or the file can't be written; no file is left then.
    """
    fd = open_new(path, os.O_RDWR | os.O_APPEND)
    try:
        lock(fd)
        session = Session(path, fd, [])
        session.add(SessionOpened(path.stem, asst=asst), at)
    except OSError:
        os.close(fd)
        path.unlink()
        raise
    return session


def create_copy(path: Path, asst: str, records: Iterable[Record], forked_from: str = "", at: str = "") -> None:
    """A new session with the records of another one, with their times, renumbered; not opened. It is whole or not there.

    An exchange that still runs in the other one is interrupted in this one.

    Raises:
        OSError: it can't be written; nothing is left.
    """
    from .recovery import INTERRUPTION

    copied = [Record(1, at or now(), State.NEW, SessionOpened(path.stem, asst=asst, forked_from=forked_from))]
    copied += (Record(seq, one.at, one.state, one.event) for seq, one in enumerate(records, 2))
    last = copied[-1]
    if last.state in ACTIVE:
        copied.append(Record(last.seq + 1, now(), State.ERROR, INTERRUPTION))
    write_new(path, b"".join(encode(record) + b"\n" for record in copied))


def open_journal(path: Path, *, keep_running: bool = False) -> Session:
    """An existing session, locked by this process, and repaired if a process died while it wrote.

    A torn last line is cut (with a notice, and a copy in `<id>.torn`). An exchange that never settled ends as an error of the
    kind `interrupted`; with `keep_running` it is left as it is, to be attached to.

    Raises:
        SessionError: it doesn't exist, can't be written, isn't a journal, or was written by a newer asst. Nothing is changed.
        SessionInUseError: another process has it open.
    """
    try:
        fd = os.open(path, os.O_RDWR | os.O_APPEND)
    except OSError as error:
        code = "session_not_found" if isinstance(error, FileNotFoundError) else "session_not_writable"
        raise SessionError(f"Session {path.stem} can't be opened: {error.strerror}.", code=code) from error
    try:
        return _opened(path, fd, keep_running=keep_running)
    except BaseException:
        os.close(fd)
        raise


def _lock_after_a_look(fd: int) -> bool:
    """Lock it a moment later: a list of sessions may have looked whether it is locked."""
    time.sleep(0.01)
    return lock(fd)


def _opened(path: Path, fd: int, *, keep_running: bool) -> Session:
    from .recovery import read_journal, repaired  # late: a new session has nothing to recover

    if not lock(fd) and not _lock_after_a_look(fd):
        raise SessionInUseError(
            f"Session {path.stem} is open in {lock_holder(path)}.", "Close it there first.", code="session_in_use"
        )
    if os.fstat(fd).st_nlink == 0:
        raise SessionError(f"Session {path.stem} was removed just now.", code="session_not_found")
    contents = read_journal(path)
    if contents.is_newer:
        raise SessionError(
            f"Session {path.stem} was written by a newer asst (version {contents.version} of the file).",
            "Upgrade asst, or continue in a copy.",
            code="session_newer",
        )
    if contents.torn:
        os.lseek(fd, contents.whole, os.SEEK_SET)  # not `pread`: Windows has none
        append_private(path.with_suffix(".torn"), os.read(fd, contents.torn) + b"\n")
        os.ftruncate(fd, contents.whole)
    session = Session(path, fd, list(repaired(contents.records)), contents.damage)
    if not session.past:
        session.add(SessionOpened(path.stem))
    if contents.torn:
        session.add(Notice(f"A process died while it wrote: a torn last line ({contents.torn} bytes) was cut."))
    if session.is_running and not keep_running:
        session.interrupt()
    return session
