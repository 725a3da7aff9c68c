"""Sessions that come from elsewhere: a journal, a transcript, or the `logs.db` of llm."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ..core.errors import SessionError
from ..core.events import Record, SessionOpened
from . import ulid
from .fork import copy_records
from .recovery import read_journal, repaired
from .store import Store
from .synthesize import synthesize_records
from .timings import moment
from .transcript_file import load_transcript

__all__ = ["import_file", "records_of_file"]

_SQLITE = b"SQLite format 3\0"


def import_file(store: Store, path: Path) -> list[str]:
    """Keep what a file holds; the ids of the new sessions. A session that is there already gets another id.

    Raises:
        SessionError: the file cannot be read, is none of the three, or cannot be kept.
    """
    if _start(path).startswith(_SQLITE):
        from .llm_logs import conversations

        return [_keep(store, list(synthesize_records(one))) for one in conversations(path)]
    return [_keep(store, records_of_file(path))]


def records_of_file(path: Path) -> list[Record]:
    """The records of a journal, or of a transcript.

    Raises:
        SessionError: the file cannot be read, or is neither.
    """
    start = _start(path).lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b'{"seq":'):
        return list(repaired(read_journal(path).records))
    return list(synthesize_records(load_transcript(path.read_bytes(), str(path))))


def _start(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(64)
    except OSError as error:
        raise SessionError(
            f"{path} cannot be read: {error.strerror}.", "Give a journal, a transcript, or llm's logs.db."
        ) from error


def _keep(store: Store, records: Iterable[Record]) -> str:
    records = list(records)
    opened = next((r.event.session for r in records if isinstance(r.event, SessionOpened)), "")
    began = next((int(moment(r.at) * 1000) for r in records if r.at), 0)
    if not began and ulid.is_ulid(opened):
        began = ulid.time_of(opened)
    session = store.create(at=max(began, 0), wanted=opened, forked_from=opened)
    try:
        copy_records(session, records)
    finally:
        session.close()
    return session.id
