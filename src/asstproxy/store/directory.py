"""Where sessions are on disk: `sessions/<yyyy-mm>/<ulid>.jsonl`.

Names sort by time, so the newest sessions are found without an index and without opening any other. A month is read at a time:
no answer grows with the store.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Container, Iterator
from itertools import islice
from pathlib import Path

from ..config.paths import data_dir, ensure_private
from ..core.errors import SessionError
from . import ulid

__all__ = ["SessionDirectory"]

AHEAD = 24 * 3600 * 1000
"""Milliseconds that the id of a session may be ahead of the clock: clocks are set back, by hours at the most."""
_SUFFIX = ".jsonl"


class SessionDirectory:
    """Finds sessions by name; `root` is the folder `sessions` in the data dir unless another one is given."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or data_dir() / "sessions"

    def path(self, session: str) -> Path:
        """The journal of a session."""
        return self.root / ulid.month(session) / f"{session}{_SUFFIX}"

    def months(self) -> list[str]:
        """The folders that hold sessions, newest first.

        Raises:
            SessionError: the folder of the sessions can't be read.
        """
        try:
            self.make_private()
            if not self.root.exists() and self.root.parent.is_file():
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(self.root.parent))
            names = _names(self.root)
        except OSError as error:
            raise SessionError(
                f"The sessions can't be read: {error.filename or self.root}: {error.strerror}.",
                "Fix its permissions, or choose another folder.",
                code="data_dir_not_readable",
            ) from error
        return sorted((name for name in names if len(name) == 7 and name[4] == "-"), reverse=True)

    def month(self, month: str) -> list[str]:
        """The ids of one month, newest first."""
        self.make_private(self.root / month)
        return sorted(self._ids(month), reverse=True)

    def ids(self) -> Iterator[str]:
        """All session ids, newest first, read one month at a time."""
        for month in self.months():
            yield from self.month(month)

    def ids_with_end(self, ends: Container[str], length: int) -> Iterator[str]:
        """The ids whose last `length` letters are among `ends`: ten times as fast as looking at all of `ids`."""
        start = -length - len(_SUFFIX)
        for month in self.months():
            for name in _names(self.root / month):
                if name[start : -len(_SUFFIX)] in ends and name.endswith(_SUFFIX):
                    yield name.removesuffix(_SUFFIX)

    def _newest(self) -> str:
        """The newest id; one that a wrong clock has put into the future does not count."""
        latest = int(time.time() * 1000) + AHEAD
        return next((one for one in self.ids() if ulid.time_of(one) <= latest), "")

    def find(self, prefix: str) -> str:
        """The only session whose id starts with this (or, if none does, ends with it), in upper or lower case.

        Raises:
            SessionError: none fits, or more than one.
        """
        wanted = prefix.strip().upper()
        if ulid.is_ulid(wanted) and self.path(wanted).is_file():
            return wanted
        found = list(islice((one for one in self.ids() if one.startswith(wanted)), 2)) or list(
            islice((one for one in self.ids() if one.endswith(wanted)), 2)
        )
        if not wanted or not found:
            raise SessionError(f"No such session: '{prefix}'.", code="session_not_found")
        if len(found) > 1:
            raise SessionError(f"'{prefix}' fits more than one session.", f"Give more letters, for example {found[0]}.")
        return found[0]

    def make_private(self, *paths: Path) -> None:
        """Close the store and these files in it to other users, no matter where they came from."""
        ensure_private(self.root, *paths)
        if self.root == data_dir() / "sessions":  # what surrounds another root isn't ours
            ensure_private(data_dir())

    def _ids(self, month: str) -> Iterator[str]:
        """Files only (a pipe would never end), and only where they are looked for."""
        names = (name.removesuffix(_SUFFIX) for name in _names(self.root / month, files=True) if name.endswith(_SUFFIX))
        return (name for name in names if ulid.is_ulid(name) and ulid.month(name) == month)


def _names(folder: Path, *, files: bool = False) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in entries if not files or entry.is_file()]
    except (FileNotFoundError, NotADirectoryError):
        return []
