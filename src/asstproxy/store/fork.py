"""Copies of sessions: a fork goes on by itself, and its original stays as it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from ..core.errors import UsageError
from ..core.events import Event, Record, SessionOpened, SetUserMessage, Unknown
from .session import Session
from .store import Store

__all__ = ["copy_records", "fork"]


def fork(store: Store, session: str, at: int | None = None) -> Session:
    """A copy of a session, open for writing; `at` keeps its first so many exchanges. No lock is needed, nothing is mended.

    Where the provider keeps the conversation, the copy lets go of it and sends its own history: else what is said in the one
    would be heard in the other.

    Raises:
        SessionError: it is not there, or cannot be kept.
        UsageError: there are not so many exchanges.
    """
    records = list(store.records(session))
    kept = list(_first(records, at)) if at is not None else records
    if at is not None and (at < 0 or sum(isinstance(r.event, SetUserMessage) for r in kept) < at):
        raise UsageError(
            f"Session {session} has fewer than {at} exchanges.", code="session_too_short", data={"session": session}
        )
    copy = store.create(forked_from=session)
    copy_records(copy, kept)
    return copy


def _first(records: Iterable[Record], exchanges: int) -> Iterator[Record]:
    seen = 0
    for record in records:
        seen += isinstance(record.event, SetUserMessage)
        if seen > exchanges:
            return
        yield record


def copy_records(copy: Session, records: Iterable[Record]) -> None:
    """Keep records of another session in a new one; an exchange that is under way there is interrupted here.

    Raises:
        OSError: they cannot be written.
    """
    copy.extend(
        msgspec.structs.replace(record, event=_without_resume(record.event))
        for record in records
        if not isinstance(record.event, SessionOpened)
    )
    if copy.is_running:
        copy.interrupt()


def _without_resume(event: Event | Unknown) -> Event | Unknown:
    if getattr(event, "resume", None) is None:
        return event
    return msgspec.structs.replace(event, resume=None)
