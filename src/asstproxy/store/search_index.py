"""The search index: a contentless FTS5 table in the cache folder. It may be deleted at any time.

It also holds what the requests of each session used (`usage`), so that adding them up reads no session again.

If anything is odd about it (damaged, of another version, of another folder), it is deleted and rebuilt. It identifies the state
of a session by the length of its journal. A month is read again if its folder has changed (a settled exchange replaces its
transcript there, which changes the folder's time); the newest month always is, and so is one with a session that could not be
read, or whose exchange has not settled: that may change without the folder.

SQLite up to 2023 can't delete from a contentless table. So a session that has grown gets a new row, and the join with `sessions`
leaves the old one out; when a third of the rows are dead, the index is rebuilt.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ..config.atomic import only_writer
from ..config.paths import cache_dir, create_private, ensure_private, private_dir
from ..core.errors import AsstError, SessionError, UsageError
from ..core.script import ACTIVE
from . import ulid
from .filters import SessionFilter
from .search_text import IndexedText, indexed_text, query
from .store import INTERRUPTED, Store
from .usage import SCHEMA as USAGE
from .usage import By, UsageRow, delete_requests, put_requests, usage_rows

__all__ = ["Hit", "Progress", "SearchIndex"]

T = TypeVar("T")

VERSION = 3
Progress = Callable[[int, int], None]
"""Called with the number of sessions that have been read, and of all that will be."""
_SETTLING = 2_000_000_000
"""Nanoseconds in which a folder may change again without a new time."""
_SCHEMA = f"""
PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE months (month TEXT PRIMARY KEY, changed INTEGER) WITHOUT ROWID;
CREATE TABLE sessions (row INTEGER PRIMARY KEY, id TEXT UNIQUE, month TEXT, bytes INTEGER,
                       provider TEXT, profile TEXT, state TEXT);
{USAGE}
CREATE INDEX by_month ON sessions (month);
CREATE VIRTUAL TABLE words USING fts5 (title, said, content = '', tokenize = 'unicode61 remove_diacritics 2');
"""


@dataclass(frozen=True, slots=True)
class Hit:
    """A matching session; the lower its `rank`, the better it matches."""

    session: str
    rank: float


class SearchIndex:
    """Searches the sessions of a store; updates the index first."""

    def __init__(self, store: Store, path: Path | None = None) -> None:
        self._store = store
        self._path = path or cache_dir() / "index.sqlite3"

    def search(
        self, text: str, wanted: SessionFilter, limit: int | None, progress: Progress | None = None
    ) -> list[Hit]:
        """The sessions in which all words occur, best match first.

        Raises:
            UsageError: the query has no words.
            AsstError: SQLite fails, and rebuilding the index doesn't help.
        """
        terms = query(text)
        if not terms:
            raise UsageError("Nothing to search for.", "Give a word that occurs in the session.")

        def find(db: sqlite3.Connection) -> list[Hit]:
            if not _is_unsettled(wanted.state):
                return _find(db, terms, wanted, limit)
            return self._in_state(wanted.state, _find(db, terms, wanted, None))[:limit]

        return self._query(find, progress)

    def usage(
        self,
        by: By,
        since: int,
        steps: Sequence[int],
        read: Callable[[Iterator[UsageRow]], T],
        progress: Progress | None = None,
    ) -> T:
        """What `read` makes of the rows that say what the requests of all sessions used; see `usage_rows`.

        Raises:
            AsstError: SQLite fails, and rebuilding the index doesn't help.
        """
        return self._query(lambda db: read(usage_rows(db, by, since, steps)), progress)

    def _query(self, run: Callable[[sqlite3.Connection], T], progress: Progress | None) -> T:
        for again in (False, True):
            try:
                with contextlib.closing(self._connect(rebuild=again)) as db:
                    self._refresh(db, progress or _ignore)
                    return run(db)
            except sqlite3.DatabaseError as error:
                if "locked" in str(error):
                    raise AsstError("Another search is building the index.", "Try again in a moment.") from error
                if again:
                    raise AsstError(f"The search index can't be used: {error}.", f"Delete {self._path}.") from error
        raise AssertionError  # pragma: no cover - the loop returns or raises

    def _in_state(self, state: str, hits: list[Hit]) -> list[Hit]:
        """Whether a process still holds an exchange isn't in the index."""
        found = []
        for hit in hits:
            with contextlib.suppress(SessionError):
                if self._store.state_of(self._store.summary(hit.session)) == state:
                    found.append(hit)
        return found

    def _connect(self, *, rebuild: bool) -> sqlite3.Connection:
        try:
            private_dir(self._path.parent)
            if rebuild:
                self._delete()
            ensure_private(*self._files())
            with only_writer(self._path.parent):  # two that make the tables at once would disturb each other
                return self._open(
                    create_private(self._path)
                )  # SQLite gives its other files the permissions of this one
        except (OSError, sqlite3.OperationalError):
            return self._open(":memory:")  # the cache can't be written: the index is built for this search only

    def _delete(self) -> None:
        for file in self._files():
            file.unlink(missing_ok=True)

    def _files(self) -> list[Path]:
        return [Path(f"{self._path}{end}") for end in ("", "-wal", "-shm", "-journal")]

    def _open(self, path: Path | str) -> sqlite3.Connection:
        db = sqlite3.connect(path, timeout=60, isolation_level=None, check_same_thread=False)
        if db.execute("PRAGMA user_version").fetchone()[0] == 0:
            db.executescript(_SCHEMA)
            db.execute("INSERT INTO about VALUES ('root', ?)", (str(self._store.root.resolve()),))
            db.execute(f"PRAGMA user_version = {VERSION}")
        root = db.execute("SELECT value FROM about WHERE key = 'root'").fetchone()
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version != VERSION or root is None or root[0] != str(self._store.root.resolve()):
            db.close()
            raise sqlite3.DatabaseError("it is of another version, or of another folder")
        return db

    # ---- updating -----------------------------------------------------------------------------------------------------

    def _refresh(self, db: sqlite3.Connection, progress: Progress) -> None:
        db.execute("BEGIN IMMEDIATE")
        try:
            now = time.time_ns()  # before anything is looked at
            changed = list(self._changed_months(db))
            todo = [one for month, _ in changed for one in self._changed_sessions(db, month)]
            for done, (session, size) in enumerate(todo, 1):
                _put(db, indexed_text(self._store, session, size))
                if done % 200 == 0 or done == len(todo):
                    progress(done, len(todo))
            query = "SELECT DISTINCT month FROM sessions WHERE bytes < 0 OR instr(?, ' ' || state || ' ')"
            passing = set(db.execute(query, (f" {' '.join(ACTIVE)} ",)).fetchall())
            db.executemany(
                "INSERT OR REPLACE INTO months VALUES (?, ?)",
                [(month, at if now - at > _SETTLING and (month,) not in passing else 0) for month, at in changed],
            )
            self._drop_months(db)
            db.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                db.execute("ROLLBACK")
            raise
        dead, alive = db.execute("SELECT max(row), count(*) FROM sessions").fetchone()
        if alive and dead > 1.5 * alive + 1000:
            raise sqlite3.DatabaseError("a third of it is out of date")

    def _changed_months(self, db: sqlite3.Connection) -> Iterator[tuple[str, int]]:
        known = dict(db.execute("SELECT month, changed FROM months").fetchall())
        for number, month in enumerate(self._store.months()):
            changed = (self._store.root / month).stat().st_mtime_ns
            if number == 0 or known.get(month) != changed:
                yield month, changed

    def _drop_months(self, db: sqlite3.Connection) -> None:
        existing = set(self._store.months())
        for (month,) in db.execute("SELECT month FROM months").fetchall():
            if month not in existing:
                db.execute("DELETE FROM requests WHERE session IN (SELECT id FROM sessions WHERE month = ?)", (month,))
                db.execute("DELETE FROM sessions WHERE month = ?", (month,))
                db.execute("DELETE FROM months WHERE month = ?", (month,))

    def _changed_sessions(self, db: sqlite3.Connection, month: str) -> list[tuple[str, int]]:
        known = dict(db.execute("SELECT id, bytes FROM sessions WHERE month = ?", (month,)).fetchall())
        found = []
        for session in self._store.month(month):
            with contextlib.suppress(OSError):
                size = self._store.path(session).stat().st_size
                if known.pop(session, -1) != size:
                    found.append((session, size))
        for gone in known:
            db.execute("DELETE FROM sessions WHERE id = ?", (gone,))
            delete_requests(db, gone)
        return found


def _ignore(_done: int, _of: int) -> None:
    """Nobody wants to know the progress."""


def _put(db: sqlite3.Connection, text: IndexedText) -> None:
    row = db.execute(
        "INSERT OR REPLACE INTO sessions (id, month, bytes, provider, profile, state, row)"
        " VALUES (?, ?, ?, ?, ?, ?, (SELECT coalesce(max(id), 0) + 1 FROM words_docsize))",
        (text.id, ulid.month(text.id), text.bytes, text.provider, text.profile, text.state),
    ).lastrowid
    db.execute("INSERT INTO words (rowid, title, said) VALUES (?, ?, ?)", (row, text.title, text.body))
    put_requests(db, text.id, text.requests)


def _is_unsettled(state: str) -> bool:
    return state == INTERRUPTED or state in ACTIVE


def _find(db: sqlite3.Connection, terms: str, wanted: SessionFilter, limit: int | None) -> list[Hit]:
    since = ulid.new(wanted.since)[:10] if wanted.since else ""
    states = f" {' '.join(ACTIVE if _is_unsettled(wanted.state) else [wanted.state])} "
    rows = db.execute(
        "SELECT sessions.id, found.rank FROM (SELECT rowid, rank FROM words(?)) AS found"
        " JOIN sessions ON sessions.row = found.rowid"
        " WHERE (? = '' OR ? IN (sessions.provider, sessions.profile)) AND (? = '' OR instr(?, ' ' || sessions.state || ' '))"
        " AND sessions.id >= ? ORDER BY found.rank LIMIT ?",
        (terms, wanted.provider, wanted.provider, wanted.state, states, since, -1 if limit is None else limit),
    )
    return [Hit(session, rank) for session, rank in rows]
