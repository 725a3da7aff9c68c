"""The store: sessions by name. `sessions/<yyyy-mm>/<ulid>.jsonl` is the journal, `<ulid>.json` the transcript.

Names sort by time, so the newest sessions are found without an index, and without opening the others.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from . import ulid
from .errors import SessionError
from .events import Record
from .locations import data_dir, private_dir
from .session import Session, create, open_journal, read_records
from .transcript import Fold, Summary, Transcript

__all__ = ["Store"]


class Store:
    """Every session of the user; `root` is the folder `sessions` in the data dir unless another is given."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or data_dir() / "sessions"

    # ---- finding -------------------------------------------------------------------------------------------------------

    def ids(self) -> Iterator[str]:
        """All session ids, the newest first, read one month at a time."""
        for month in sorted(_names(self.root), reverse=True):
            names = (name for name in _names(self.root / month) if name.endswith(".jsonl"))
            yield from (name.removesuffix(".jsonl") for name in sorted(names, reverse=True))

    def newest(self) -> str:
        """The newest session.

        Raises:
            SessionError: there is none.
        """
        for found in self.ids():
            return found
        raise SessionError("There is no session yet.", 'Start one: asst ask "…", or asst chat')

    def find(self, prefix: str) -> str:
        """The one session whose id begins like this (or, when none does, ends like this); case does not matter.

        Raises:
            SessionError: there is none, or more than one.
        """
        wanted = prefix.strip().upper()
        ids = list(self.ids()) if wanted else []
        found = [one for one in ids if one.startswith(wanted)] or [one for one in ids if one.endswith(wanted)]
        if len(found) == 1:
            return found[0]
        if not found:
            raise SessionError(f"There is no session '{prefix}'.", "See: asst sessions list")
        raise SessionError(f"'{prefix}' fits {len(found)} sessions.", f"Give more letters, for example {found[0]}.")

    def path(self, session: str) -> Path:
        """The journal of a session."""
        return self.root / ulid.month(session) / f"{session}.jsonl"

    # ---- reading -------------------------------------------------------------------------------------------------------

    def records(self, session: str) -> list[Record]:
        """The records of a session, without opening it for writing.

        Raises:
            SessionError: it is damaged.
        """
        return read_records(self.path(session))

    def transcript(self, session: str) -> Transcript:
        """A session as a person would tell it, folded afresh from its records."""
        fold = Fold(session)
        for record in self.records(session):
            fold.feed(record)
        return fold.transcript

    def summary(self, session: str) -> Summary:
        """The head of the transcript; from the journal when the transcript is missing, older or unreadable."""
        journal = self.path(session)
        file = journal.with_suffix(".json")
        try:
            if file.stat().st_mtime_ns >= journal.stat().st_mtime_ns:
                return msgspec.json.decode(file.read_bytes(), type=Summary)
        except (OSError, msgspec.DecodeError):
            pass
        return self.transcript(session)

    # ---- writing -------------------------------------------------------------------------------------------------------

    def create(self) -> Session:
        """A new session, open for writing.

        Raises:
            SessionError: the data dir cannot be written.
        """
        from .._version import __version__

        session = ulid.new()
        path = self.path(session)
        try:
            private_dir(private_dir(self.root).joinpath(path.parent.name))
            return create(path, __version__)
        except OSError as error:
            raise SessionError(
                f"The session cannot be kept: {path.parent}: {error.strerror}.", "Set ASST_DATA_DIR, or use --no-save."
            ) from error

    def open(self, session: str) -> Session:
        """A session that goes on, open for writing; see `open_journal`."""
        return open_journal(self.path(session))


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
