"""The store: reads, creates, opens and removes sessions. `<ulid>.jsonl` is the journal, `<ulid>.json` the transcript.

Code that reads many sessions takes them one by one, so that memory doesn't grow with the store.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ..config.atomic import remove_leftovers
from ..config.paths import private_dir
from ..core.codec import from_unix_time
from ..core.errors import SessionError
from ..core.events import Record
from ..core.script import ACTIVE
from . import ulid
from .directory import AHEAD, SessionDirectory
from .lock import is_locked, lock, lock_holder
from .session import Session, create, create_copy, open_journal
from .session_files import SessionFiles, remove_orphans
from .transcript import Summary, Transcript, TranscriptBuilder
from .transcript_file import edited_copies, read_head

if TYPE_CHECKING:
    from .recovery import JournalContents

__all__ = ["INTERRUPTED", "Store"]

INTERRUPTED = "interrupted"
_FULL = {getattr(errno, name, errno.ENOSPC) for name in ("ENOSPC", "EDQUOT", "EFBIG")}


class Store(SessionDirectory):
    """All sessions of the user. Reading needs no lock, so a session can be read while another process writes it."""

    def __init__(self, root: Path | None = None) -> None:
        super().__init__(root)
        self._swept: set[Path] = set()

    # ---- reading -------------------------------------------------------------------------------------------------------

    def journal(self, session: str) -> JournalContents:
        """The journal of a session as it stands, with what is damaged in it.

        Raises:
            SessionError: it doesn't exist, or isn't a journal.
        """
        from .recovery import read_journal

        return read_journal(self._private_path(session))

    def records(self, session: str) -> list[Record]:
        """The records of a session, with every exchange but the last one settled (see `repaired`).

        Raises:
            SessionError: it doesn't exist, or isn't a journal.
        """
        from .recovery import repaired

        return list(repaired(self.journal(session).records))

    def transcript(self, session: str) -> Transcript:
        """The transcript of a session, rebuilt from its records.

        Raises:
            SessionError: it doesn't exist, or can't be read.
        """
        from .recovery import JournalContents, each_record, repaired

        builder, contents = TranscriptBuilder(session), JournalContents(self._private_path(session))
        for record in repaired(each_record(contents.path, contents)):
            builder.feed(record)
        builder.include_partial()
        if contents.damage and not builder.transcript.created:
            raise SessionError(
                f"{contents.path} isn't a session of asst: {contents.damage[0]}.", "The file was not changed."
            )
        return builder.transcript

    def summary(self, session: str) -> Summary:
        """The head of the transcript; from the journal if the transcript is missing, out of date or unreadable.

        Raises:
            SessionError: it doesn't exist, or can't be read.
        """
        journal = self.path(session)
        try:
            size = journal.stat().st_size
        except OSError as error:
            raise SessionError(f"{journal} can't be read: {error.strerror}.", code="session_unreadable") from error
        found = read_head(journal.with_suffix(".json"), size) or self.transcript(session)
        return Summary(**{name: getattr(found, name) for name in Summary.__struct_fields__})

    def newest(self) -> str:
        """The id of the newest session in which anything was asked; one with an id of the future comes last.

        Raises:
            SessionError: there is none.
        """
        ahead, latest = "", int(time.time() * 1000) + AHEAD
        for session in self.ids():
            if self._has_exchange(session):
                if ulid.time_of(session) <= latest:
                    return session
                ahead = ahead or session
        if ahead:
            return ahead
        raise SessionError("No session is saved yet.", code="no_sessions")

    def _has_exchange(self, session: str) -> bool:
        try:
            return self.summary(session).exchange_count > 0
        except SessionError:
            return False

    def state_of(self, summary: Summary) -> str:
        """The state of a session, or `interrupted`: the process that held its last exchange is gone."""
        if summary.state in ACTIVE:
            with suppress(OSError):
                return summary.state if is_locked(self.path(summary.id)) else INTERRUPTED
        return summary.state

    # ---- writing -------------------------------------------------------------------------------------------------------

    def create(self, *, at: int | None = None) -> Session:
        """A new session, open for writing. It is always the newest one, also when the clock was set back.

        `at`: when it began, in milliseconds since 1970, if not now.

        Raises:
            SessionError: the data dir can't be written.
        """
        from .._version import __version__

        with self._new(at) as path:
            return create(path, __version__, _as_time(at))

    def copy(
        self,
        records: Iterable[Record],
        *,
        forked_from: str,
        at: int | None = None,
        wanted: str = "",
        fill: Callable[[SessionFiles], object] | None = None,
    ) -> str:
        """A new session with the records of another one; returns its id. Stopped at any moment, it is whole or not there.

        `at`: when it began, in milliseconds since 1970, if not now. `wanted`: the id to give it, unless that is taken. `fill`
        gives it its attachments, before it is there.

        Raises:
            SessionError: the data dir can't be written.
        """
        from .._version import __version__

        with self._new(at, wanted, is_copy=True) as path:
            if path.parent not in self._swept:  # once: an import writes thousands
                self._swept.add(path.parent)
                remove_leftovers(path.parent, suffix=".jsonl")
                remove_orphans(path.parent)
            files = SessionFiles(path)
            try:
                if fill is not None:
                    fill(files)
                create_copy(path, __version__, records, forked_from, _as_time(at))
            except BaseException:
                with suppress(OSError):
                    files.remove()
                raise
            return path.stem

    @contextmanager
    def _new(self, at: int | None, wanted: str = "", *, is_copy: bool = False) -> Iterator[Path]:
        """The path of a new session, in a folder that exists."""
        session = ulid.new(at)
        if at is None and (newest := self._newest()) >= session:
            session = ulid.new(ulid.time_of(newest) + 1)
        if ulid.is_ulid(wanted) and not self.path(wanted).exists():
            session = wanted
        path = self.path(session)
        try:
            self.make_private()
            private_dir(private_dir(self.root).joinpath(path.parent.name))
            yield path
        except OSError as error:
            is_full = error.errno in _FULL
            raise SessionError(
                f"The session can't be saved: {error.filename or path.parent}: {error.strerror}.",
                "Free some space." if is_full else "Set ASST_DATA_DIR.",
                code="" if is_copy else "disk_full" if is_full else "data_dir_not_writable",
            ) from error

    def open(self, session: str, *, keep_running: bool = False) -> Session:
        """An existing session, open for writing and locked by this process; `session` is its whole id (see `find`).

        An exchange that never settled ends as an error of the kind `interrupted`; with `keep_running` it is left as it is, to be
        attached to. A damaged end is repaired (see `open_journal`).

        Raises:
            SessionError: it doesn't exist, can't be written, isn't a journal, or was written by a newer asst.
            SessionInUseError: another process has it open.
        """
        return open_journal(self._private_path(session), keep_running=keep_running)

    def remove(self, session: str) -> int:
        """Delete a session with all its files; returns the number of bytes that this freed.

        Raises:
            SessionError: it doesn't exist, another process has it open, or it can't be deleted.
        """
        path = self.path(session)
        try:
            fd = os.open(path, os.O_RDONLY)
            try:
                if not lock(fd):
                    raise SessionError(f"Session {session} is open in {lock_holder(path)}.", "Close it there first.")
                freed = 0
                files = SessionFiles(path)
                freed += sum(file.lstat().st_size for file in files.files())
                files.remove()
                for file in [*_companions(path), path]:
                    freed += file.stat().st_size
                    file.unlink()
                return freed
            finally:
                os.close(fd)
        except OSError as error:
            raise SessionError(f"Session {session} can't be removed: {error.strerror}.", f"See: {path}") from error

    def files(self, session: str) -> SessionFiles:
        """The attachments of a session."""
        return SessionFiles(self.path(session))

    def _private_path(self, session: str) -> Path:
        path = self.path(session)
        self.make_private(path.parent, path, path.with_suffix(".json"))
        return path


def _as_time(milliseconds: int | None) -> str:
    return from_unix_time(milliseconds / 1000) if milliseconds is not None else ""


def _companions(journal: Path) -> Iterator[Path]:
    """The other files of a session: its transcript, a torn line, a temporary file, transcripts that a person edited."""
    yield from (file for end in (".json", ".torn", ".tmp") if (file := journal.with_suffix(end)).exists())
    yield from edited_copies(journal)
