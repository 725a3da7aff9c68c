"""What `asst doctor` checks of the sessions and the search index."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from ...config.atomic import leftovers
from ...config.paths import cache_dir, data_dir
from ...core.errors import AsstError
from ...store.store import INTERRUPTED, Store
from ..hints import hint_for
from .finding import Finding

__all__ = ["findings"]

NEWEST = 20
INDEXES = ("*.sqlite", "*.sqlite3", "*.db")


def findings() -> Iterator[Finding]:
    """How many sessions there are, whether the newest can be read, and whether the index is intact."""
    group, store = "sessions", Store()
    try:
        ids = list(store.ids())
    except AsstError as error:
        yield Finding(group, "sessions", "broken", str(error), hint_for(error))
        return
    yield Finding(group, "sessions", "ok", f"{len(ids)} in {data_dir() / 'sessions'}")
    yield from _misplaced(store, set(ids))
    interrupted = []
    for session in ids[:NEWEST]:
        try:
            store.records(session)
            if store.state_of(store.summary(session)) == INTERRUPTED:
                interrupted.append(session)
        except AsstError as error:
            yield Finding(group, session, "broken", str(error), hint_for(error))
        except OSError as error:
            yield Finding(group, session, "broken", f"can't be read: {error.strerror}", "Fix its permissions.")
    if interrupted:
        count = len(interrupted)
        one = f"Continue it: asst chat --session {interrupted[0]}"
        yield Finding(
            group,
            "interrupted",
            "warning",
            f"{count} {'was' if count == 1 else 'were'} interrupted when asst was killed; what had arrived is saved",
            one if count == 1 else "List them: asst sessions list --state interrupted",
            about="sessions",
        )
    files = [file for pattern in INDEXES for file in sorted(cache_dir().glob(f"**/{pattern}"))]
    for file in files:
        problem, indexed = _inspect(file)
        if problem:
            hint = f"It is a cache, and is built again. Run: rm {file}"
            yield Finding(group, "index", "warning", f"{file}: {problem}", hint)
        else:
            size = f"{file.stat().st_size / 1e6:.1f} MB"
            yield Finding(group, "index", "ok", f"{file} ({size}, {indexed} of {len(ids)} sessions)")
    if not files:
        yield Finding(group, "index", "absent", "none yet; the first search builds it")


def _misplaced(store: Store, ids: set[str]) -> Iterator[Finding]:
    """What is named like a session and is none: a pipe, a file in the wrong month, the beginning of a copy."""
    for month in store.months():
        for path in leftovers(store.root / month, suffix=".jsonl"):
            problem = f"{path}: left by a copy that was stopped"
            yield Finding(
                "sessions", path.name, "warning", problem, f"The next copy of a session removes it. Or: rm {path}"
            )
    for path in sorted(store.root.glob("*/*.jsonl")):
        if path.stem not in ids or store.path(path.stem) != path:
            what = "not where asst looks for it" if path.is_file() else "not a file"
            yield Finding(
                "sessions",
                path.name,
                "warning",
                f"{path}: {what}",
                f"Import it: asst sessions import {path}" if path.is_file() else "Remove it.",
            )


def _inspect(file: Path) -> tuple[str, int]:
    """What is wrong with an index, and how many sessions it has."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=2)) as database:
            result = str(database.execute("PRAGMA quick_check(1)").fetchone()[0])
            indexed = int(database.execute("SELECT count(*) FROM sessions").fetchone()[0])
    except sqlite3.Error as error:
        return str(error), 0
    return ("" if result == "ok" else result), indexed
