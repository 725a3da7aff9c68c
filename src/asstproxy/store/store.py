"""The store: sessions by name. `sessions/<yyyy-mm>/<ulid>.jsonl` is the journal, `<ulid>.json` the transcript.

Names sort by time, so the newest sessions are found without an index, and without opening the others. What reads many sessions
takes them one by one: no answer of the store grows with it, but for the names of one month.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from ..config.paths import data_dir, ensure_private, private_dir
from ..core.codec import from_unix_time
from ..core.errors import SessionError
from ..core.events import Record
from . import ulid
from .recovery import JournalContents, each_record, read_journal, repaired
from .session import Session, create, open_journal
from .transcript import Fold, Summary, Transcript
from .transcript_file import read_head

__all__ = ["Store"]

_SUFFIX = ".jsonl"


class Store:
    """Every session of the user; `root` is the folder `sessions` in the data dir unless another is given."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or data_dir() / "sessions"

    # ---- finding -------------------------------------------------------------------------------------------------------

    def months(self) -> list[str]:
        """The folders that hold sessions, the newest first."""
        self._guard()
        return sorted((name for name in _names(self.root) if len(name) == 7 and name[4] == "-"), reverse=True)

    def month(self, month: str) -> list[str]:
        """The ids of one month, the newest first."""
        self._guard(self.root / month)
        end = len(_SUFFIX)
        found = [name[:-end] for name in _names(self.root / month) if name.endswith(_SUFFIX)]
        found.sort(reverse=True)
        return [one for one in found if ulid.is_ulid(one)]

    def ids(self) -> Iterator[str]:
        """All session ids, the newest first, read one month at a time."""
        for month in self.months():
            yield from self.month(month)

    def newest(self) -> str:
        """The newest session.

        Raises:
            SessionError: there is none.
        """
        if found := self._newest():
            return found
        raise SessionError("There is no session yet.", code="no_sessions")

    def _newest(self) -> str:
        for month in self.months():
            names = (name[: -len(_SUFFIX)] for name in _names(self.root / month) if name.endswith(_SUFFIX))
            if found := max(filter(ulid.is_ulid, names), default=""):
                return found
        return ""

    def find(self, prefix: str) -> str:
        """The one session whose id begins like this (or, when none does, ends like this); case does not matter.

        Raises:
            SessionError: there is none, or more than one.
        """
        wanted = prefix.strip().upper()
        if ulid.is_ulid(wanted) and self.path(wanted).exists():
            return wanted
        found = self._first(lambda one: one.startswith(wanted)) or self._first(lambda one: one.endswith(wanted))
        if not wanted or not found:
            raise SessionError(f"There is no session '{prefix}'.", code="session_not_found")
        if len(found) > 1:
            raise SessionError(f"'{prefix}' fits more than one session.", f"Give more letters, for example {found[0]}.")
        return found[0]

    def _first(self, fits: Callable[[str], bool]) -> list[str]:
        """Two of those that fit, at the most."""
        found: list[str] = []
        for one in self.ids():
            if fits(one):
                found.append(one)
                if len(found) == 2:
                    break
        return found

    def path(self, session: str) -> Path:
        """The journal of a session."""
        return self.root / ulid.month(session) / f"{session}{_SUFFIX}"

    # ---- reading -------------------------------------------------------------------------------------------------------

    def records(self, session: str) -> list[Record]:
        """The records of a session, without opening it for writing.

        Raises:
            SessionError: it is not there, or is no journal.
        """
        return list(repaired(self.reading(session).records))

    def reading(self, session: str) -> JournalContents:
        """The journal of a session as it stands, with what is damaged in it.

        Raises:
            SessionError: it is not there, or is no journal.
        """
        return read_journal(self._used(session))

    def transcript(self, session: str) -> Transcript:
        """A session as a person would tell it, folded afresh from its records.

        Raises:
            SessionError: it is not there, or cannot be read.
        """
        fold, reading = Fold(session), JournalContents(self._used(session))
        for record in repaired(each_record(reading.path, reading)):
            fold.feed(record)
        if reading.damage and not fold.transcript.created:
            raise SessionError(f"{reading.path} is no journal: {reading.damage[0]}.", "The file was not changed.")
        return fold.transcript

    def summary(self, session: str) -> Summary:
        """The head of the transcript; from the journal when the transcript is missing, out of date or unreadable.

        Raises:
            SessionError: it is not there, or cannot be read.
        """
        journal = self.path(session)
        try:
            size = journal.stat().st_size
        except OSError as error:
            raise SessionError(f"{journal} cannot be read: {error.strerror}.", code="session_unreadable") from error
        found = read_head(journal.with_suffix(".json"), size) or self.transcript(session)
        return Summary(**{name: getattr(found, name) for name in Summary.__struct_fields__})

    # ---- writing -------------------------------------------------------------------------------------------------------

    def create(self, *, at: int | None = None, forked_from: str = "", wanted: str = "") -> Session:
        """A new session, open for writing. `at`: when it began, in milliseconds since 1970, if that was not now.

        `wanted`: the id that it is to have, if no session has it.

        A new session is always the newest, also when the clock was put back since the last one.

        Raises:
            SessionError: the data dir cannot be written.
        """
        from .._version import __version__

        session = ulid.new(at)
        if at is None and (newest := self._newest()) >= session:
            session = ulid.new(ulid.time_of(newest) + 1)
        if ulid.is_ulid(wanted) and not self.path(wanted).exists():
            session = wanted
        path = self.path(session)
        try:
            self._guard()
            private_dir(private_dir(self.root).joinpath(path.parent.name))
            return create(path, __version__, forked_from, from_unix_time(at / 1000) if at is not None else "")
        except OSError as error:
            raise SessionError(
                f"The session cannot be kept: {error.filename or path.parent}: {error.strerror}.",
                "Set ASST_DATA_DIR.",
                code="data_dir_not_writable",
            ) from error

    def open(self, session: str, *, keep_running: bool = False) -> Session:
        """A session that goes on, open for writing; see `open_journal`."""
        return open_journal(self._used(session), keep_running=keep_running)

    def _used(self, session: str) -> Path:
        """The journal of a session, which others cannot read, wherever it came from."""
        path = self.path(session)
        self._guard(path.parent, path, path.with_suffix(".json"))
        return path

    def _guard(self, *paths: Path) -> None:
        ensure_private(self.root, *paths)
        if self.root == data_dir() / "sessions":  # what is around another root is not ours
            ensure_private(data_dir())

    def remove(self, session: str) -> int:
        """Delete a session, its transcript and what stands beside them; the number of bytes that this freed.

        Raises:
            SessionError: it is not there, another process has it open, or it cannot be deleted.
        """
        from .lock import lock, lock_holder

        path = self.path(session)
        try:
            fd = os.open(path, os.O_RDONLY)
            try:
                if not lock(fd):
                    raise SessionError(f"Session {session} is open in {lock_holder(path)}.", "Close it there first.")
                freed = 0
                for file in [*_beside(path), path]:
                    freed += file.stat().st_size
                    file.unlink()
                return freed
            finally:
                os.close(fd)
        except OSError as error:
            raise SessionError(f"Session {session} cannot be removed: {error.strerror}.", f"See: {path}") from error


def _beside(journal: Path) -> Iterator[Path]:
    """The files that stand beside a journal."""
    for end in (".json", ".torn", ".tmp", ".edited.json"):
        if (file := journal.with_suffix(end)).exists():
            yield file
    number = 2
    while (file := journal.with_suffix(f".edited-{number}.json")).exists():
        yield file
        number += 1


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
