"""What `asst doctor` sees of the sessions and of the index of their words."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from ...config.paths import cache_dir, data_dir
from ...core.errors import AsstError
from ..hints import hint_for
from .command import Finding

__all__ = ["sessions"]

NEWEST = 20
INDEXES = ("*.sqlite", "*.sqlite3", "*.db")


def sessions() -> Iterator[Finding]:
    """How many there are, whether the newest can be read, and whether the index is whole."""
    from ...store.store import Store

    group = "sessions"
    store = Store()
    try:
        ids = list(store.ids())
    except OSError as error:
        yield Finding(group, "sessions", "broken", f"{data_dir()}: {error.strerror}", "Mend its permissions.")
        return
    yield Finding(group, "sessions", "ok", f"{len(ids)} in {data_dir() / 'sessions'}")
    for session in ids[:NEWEST]:
        try:
            store.records(session)
        except AsstError as error:
            yield Finding(group, session, "broken", str(error), hint_for(error))
        except OSError as error:
            yield Finding(group, session, "broken", f"cannot be read: {error.strerror}", "Mend its permissions.")
    found = [file for pattern in INDEXES for file in sorted(cache_dir().glob(f"**/{pattern}"))]
    for file in found:
        problem, known = _look(file)
        if problem:
            yield Finding(group, "index", "warning", problem, f"It is a cache, and is made again. Run: rm {file}")
        else:
            size = f"{file.stat().st_size / 1e6:.1f} MB"
            yield Finding(group, "index", "ok", f"{file} ({size}, {known} of {len(ids)} sessions)")
    if not found:
        yield Finding(group, "index", "ok", "none yet; the first search makes it")


def _look(file: Path) -> tuple[str, int]:
    """What is wrong with an index, and how many sessions it knows."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=2)) as database:
            said = str(database.execute("PRAGMA quick_check(1)").fetchone()[0])
            known = int(database.execute("SELECT count(*) FROM sessions").fetchone()[0])
    except sqlite3.Error as error:
        return f"{file}: {error}", 0
    return ("" if said == "ok" else f"{file}: {said}"), known
