"""`asst sessions rename|fork|rm|prune`: changes to the saved sessions, confirmed before something is deleted."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from ...core.errors import SessionError, SessionInUseError, UsageError
from ...core.events import Titled
from ...store import ulid
from ...store.filters import cutoff
from ...store.fork import fork
from ...store.store import Store
from ...store.transcript import Summary
from ..error_output import print_warning
from ..hints import hint_for
from .listing import count_of, line_of

__all__ = ["fork_session", "prune_sessions", "remove_sessions", "rename_session"]


def rename_session(prefix: str, title: str) -> None:
    """Give a session a title. The session file keeps the old one, too.

    Raises:
        UsageError: the title is empty.
        SessionInUseError: another process has it open.
    """
    title = " ".join(title.split())
    if not title:
        raise UsageError("The title is empty.", 'Run: asst sessions rename SESSION "A title"')
    store = Store()
    try:
        session = store.open(store.find(prefix), keep_running=True)
    except SessionInUseError as error:  # without its code: this command has no --wait
        raise SessionInUseError(str(error), f"In a chat: /rename {title}. Or close it first.") from None
    try:
        session.add(Titled(title))
    finally:
        session.close()


def fork_session(prefix: str, at: int | None) -> None:
    """Copy a session (its first `at` turns) and print the new id."""
    store = Store()
    copy = fork(store, store.find(prefix), at)
    copy.close()
    sys.stdout.write(f"{copy.id}\n")


def remove_sessions(prefixes: list[str], *, yes: bool) -> None:
    """Delete sessions, after confirmation."""
    store = Store()
    found = list(dict.fromkeys(store.find(prefix) for prefix in prefixes))
    if not yes:
        for session in found:
            sys.stderr.write(f"{line_of(_summary(store, session))}\n")
        _confirm(f"Delete {count_of(len(found))}?")
    for session in found:
        store.remove(session)


def prune_sessions(older_than: str, *, yes: bool) -> None:
    """List the sessions that were not used for so long; with `yes`, delete them."""
    store, limit = Store(), cutoff(older_than)
    count = size = 0
    for summary in _unused_since(store, limit):
        try:
            if yes:
                size += store.remove(summary.id)
            else:
                path = store.path(summary.id)
                files = [path, path.with_suffix(".json"), *store.files(summary.id).files()]
                size += sum(file.stat().st_size for file in files if file.exists())
                sys.stdout.write(f"{line_of(summary)}\n")
        except SessionError as error:
            print_warning(f"{error} {hint_for(error)}")
            continue
        count += 1
    total = f"{count_of(count)} ({size / 1e6:.1f} MB)"
    done = f"Deleted {total}." if yes else f"Would delete {total}. To delete, add --yes"
    sys.stderr.write(f"{done if count else 'No session is that old.'}\n")


def _unused_since(store: Store, limit: int) -> Iterator[Summary]:
    """The sessions last used before the limit. One that can't be read is left alone: its age is unknown."""
    from datetime import datetime

    for session in store.ids():
        if ulid.time_of(session) < limit:
            try:
                summary = store.summary(session)
                used = datetime.fromisoformat(summary.updated or summary.created).timestamp() * 1000
            except (SessionError, ValueError):
                continue
            if used < limit:
                yield summary


def _summary(store: Store, session: str) -> Summary:
    try:
        return store.summary(session)
    except SessionError as error:
        return Summary(id=session, title=str(error))


def _confirm(question: str) -> None:
    if not sys.stdin.isatty():
        raise UsageError(f"{question} Stdin is not a terminal, so asst can't ask.", "To confirm, add --yes")
    import typer

    typer.confirm(question, abort=True, err=True)
