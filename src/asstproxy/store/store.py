"""The store: reads, creates, opens and removes sessions. `<ulid>.jsonl` is the journal, `<ulid>.json` the transcript.

Code that reads many sessions takes them one by one, so that memory doesn't grow with the store.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from ..config.paths import private_dir
from ..core.codec import from_unix_time
from ..core.errors import SessionError
from ..core.events import Record
from . import ulid
from .directory import SessionDirectory
from .recovery import JournalContents, each_record, read_journal, repaired
from .session import Session, create, lock, lock_holder, open_journal
from .transcript import Summary, Transcript, TranscriptBuilder
from .transcript_file import edited_copies, read_head

__all__ = ["Store"]


class Store(SessionDirectory):
    """All sessions of the user. Reading needs no lock, so a session can be read while another process writes it."""

    # ---- reading -------------------------------------------------------------------------------------------------------

    def journal(self, session: str) -> JournalContents:
        """The journal of a session as it stands, with what is damaged in it.

        Raises:
            SessionError: it doesn't exist, or isn't a journal.
        """
        return read_journal(self._private_path(session))

    def records(self, session: str) -> list[Record]:
        """The records of a session, with every exchange but the last one settled (see `repaired`).

        Raises:
            SessionError: it doesn't exist, or isn't a journal.
        """
        return list(repaired(self.journal(session).records))

    def transcript(self, session: str) -> Transcript:
        """The transcript of a session, built anew from its records.

        Raises:
            SessionError: it doesn't exist, or can't be read.
        """
        builder, contents = TranscriptBuilder(session), JournalContents(self._private_path(session))
        for record in repaired(each_record(contents.path, contents)):
            builder.feed(record)
        if contents.damage and not builder.transcript.created:
            raise SessionError(f"{contents.path} isn't a journal: {contents.damage[0]}.", "The file was not changed.")
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

    # ---- writing -------------------------------------------------------------------------------------------------------

    def create(self, *, at: int | None = None, forked_from: str = "", wanted: str = "") -> Session:
        """A new session, open for writing. It is always the newest one, also when the clock was set back.

        `at`: when it began, in milliseconds since 1970, if not now. `wanted`: the id to give it, unless that is taken.

        Raises:
            SessionError: the data dir can't be written.
        """
        from .._version import __version__

        session = ulid.new(at)
        if at is None and (newest := self._newest()) >= session:
            session = ulid.new(ulid.time_of(newest) + 1)
        if ulid.is_ulid(wanted) and not self.path(wanted).exists():
            session = wanted
        path = self.path(session)
        try:
            self.make_private()
            private_dir(private_dir(self.root).joinpath(path.parent.name))
            return create(path, __version__, forked_from, from_unix_time(at / 1000) if at is not None else "")
        except OSError as error:
            raise SessionError(
                f"The session can't be saved: {error.filename or path.parent}: {error.strerror}.",
                "Set ASST_DATA_DIR.",
                code="data_dir_not_writable",
            ) from error

    def open(self, session: str, *, keep_running: bool = False) -> Session:
        """An existing session, open for writing; see `open_journal`."""
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
                for file in [*_companions(path), path]:
                    freed += file.stat().st_size
                    file.unlink()
                return freed
            finally:
                os.close(fd)
        except OSError as error:
            raise SessionError(f"Session {session} can't be removed: {error.strerror}.", f"See: {path}") from error

    def _private_path(self, session: str) -> Path:
        path = self.path(session)
        self.make_private(path.parent, path, path.with_suffix(".json"))
        return path


def _companions(journal: Path) -> Iterator[Path]:
    """The other files of a session: its transcript, a torn line, a temporary file, transcripts that a person edited."""
    yield from (file for end in (".json", ".torn", ".tmp") if (file := journal.with_suffix(end)).exists())
    yield from edited_copies(journal)
