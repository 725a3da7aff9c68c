"""Forks: copies of sessions that continue on their own; the original stays as it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from ..core.errors import UsageError
from ..core.events import Event, Record, SessionOpened, SetUserMessage, Titled, Unknown
from .session import Session
from .session_files import attachments_of
from .store import Store

__all__ = ["fork", "without_resume"]


def fork(store: Store, session: str, at: int | None = None, *, began: int | None = None) -> Session:
    """A copy of a session, open for writing; with `at`, only its first `at` exchanges, and its title of now.

    The original needs no lock.

    `began`: when the copy began, in milliseconds since 1970, if not now; an older one is never the latest session.

    If the provider keeps the conversation, the copy leaves that conversation and sends its own history: otherwise what is said
    in one would appear in the other.

    Raises:
        SessionError: it doesn't exist, or the copy can't be saved.
        UsageError: there are fewer than `at` exchanges.
    """
    records = list(store.records(session))
    kept = list(_first(records, at)) if at is not None else records
    if at:
        kept += _title_given_later(records, kept)
    if at is not None and (at < 0 or sum(isinstance(r.event, SetUserMessage) for r in kept) < at):
        raise UsageError(
            f"Session {session} has fewer than {at} turns.", code="session_too_short", data={"session": session}
        )
    attached = attachments_of(kept)
    files = store.files(session)
    fill = (lambda others: files.copy_to(others, attached)) if attached else None
    return store.open(store.copy(without_resume(kept), forked_from=session, at=began, fill=fill))


def _first(records: Iterable[Record], exchanges: int) -> Iterator[Record]:
    seen = 0
    for record in records:
        seen += isinstance(record.event, SetUserMessage)
        if seen > exchanges:
            return
        yield record


def _title_given_later(records: Sequence[Record], kept: Sequence[Record]) -> list[Record]:
    """The title that a session was given after the part of it that a copy keeps."""
    titled = [record for record in records[len(kept) :] if isinstance(record.event, Titled)][-1:]
    return [msgspec.structs.replace(record, state=kept[-1].state) for record in titled]


def without_resume(records: Iterable[Record]) -> Iterator[Record]:
    """The records that a copy of a session takes over: it has an opening, and no conversation at the provider, of its own."""
    for record in records:
        if not isinstance(record.event, SessionOpened):
            yield msgspec.structs.replace(record, event=_without_resume(record.event))


def _without_resume(event: Event | Unknown) -> Event | Unknown:
    if getattr(event, "resume", None) is None:
        return event
    return msgspec.structs.replace(event, resume=None)
