"""`asst sessions rename|fork|rm|prune`: what changes the store, and asks before it deletes."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from ...core.errors import SessionError, UsageError
from ...core.events import Titled
from ...store import ulid
from ...store.filters import cutoff
from ...store.fork import fork
from ...store.store import Store
from ...store.transcript import Summary
from ..hints import hint_for
from ..render.safe_text import clean_line
from .listing import line_of

__all__ = ["fork_session", "prune_sessions", "remove_sessions", "rename_session"]


def rename_session(prefix: str, title: str) -> None:
    """Give a session a title; the old one stays in the journal.

    Raises:
        UsageError: the title is empty.
    """
    title = " ".join(title.split())
    if not title:
        raise UsageError("The title is empty.", "Say one.")
    store = Store()
    session = store.open(store.find(prefix), keep_running=True)
    try:
        session.add(Titled(title))
    finally:
        session.close()


def fork_session(prefix: str, at: int | None) -> None:
    """Copy a session and print the new id."""
    store = Store()
    copy = fork(store, store.find(prefix), at)
    copy.close()
    sys.stdout.write(f"{copy.id}\n")


def remove_sessions(prefixes: list[str], *, yes: bool) -> None:
    """Delete sessions, after asking."""
    store = Store()
    found = list(dict.fromkeys(store.find(prefix) for prefix in prefixes))
    if not yes:
        for one in found:
            sys.stderr.write(f"{line_of(_summary(store, one))}\n")
        _ask(f"Delete {_count(len(found))}?")
    for one in found:
        store.remove(one)


def prune_sessions(older_than: str, *, yes: bool) -> None:
    """Say which sessions were not touched for so long; with `yes`, delete them."""
    store, limit = Store(), cutoff(older_than)
    count = size = 0
    for one in _untouched(store, limit):
        try:
            if yes:
                size += store.remove(one.id)
            else:
                path = store.path(one.id)
                size += sum(file.stat().st_size for file in (path, path.with_suffix(".json")) if file.exists())
                sys.stdout.write(f"{line_of(one)}\n")
        except SessionError as error:
            sys.stderr.write(f"asst: {clean_line(f'{error} {hint_for(error)}')}\n")
            continue
        count += 1
    done = "deleted" if yes else "would be deleted; --yes does it"
    sys.stderr.write(
        f"{_count(count)}, {size / 1e6:.1f} MB, {done}.\n" if count else "There is no session as old as that.\n"
    )


def _untouched(store: Store, limit: int) -> Iterator[Summary]:
    """Those that ended before the limit. What cannot be read is left alone: nobody knows how old it is."""
    from datetime import datetime

    for one in store.ids():
        if ulid.time_of(one) < limit:
            try:
                summary = store.summary(one)
                touched = datetime.fromisoformat(summary.updated or summary.created).timestamp() * 1000
            except (SessionError, ValueError):
                continue
            if touched < limit:
                yield summary


def _summary(store: Store, session: str) -> Summary:
    try:
        return store.summary(session)
    except SessionError as error:
        return Summary(id=session, title=str(error))


def _count(number: int) -> str:
    return f"{number} session{'' if number == 1 else 's'}"


def _ask(question: str) -> None:
    if not sys.stdin.isatty():
        raise UsageError(f"{question} Nobody can be asked here.", "Add --yes.")
    import typer

    typer.confirm(question, abort=True, err=True)
