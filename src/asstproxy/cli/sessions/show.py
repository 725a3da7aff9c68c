"""`asst sessions show`: one session, as it was in the chat or drawn in another way."""

from __future__ import annotations

import sys

from ...core.codec import encode
from ...core.events import Record
from ...core.sessions.reading import mended
from ...core.sessions.store import Store
from ..view.safe import clean_line

__all__ = ["records_of", "show_session"]


def show_session(prefix: str, how: str) -> None:
    """Print a session: `events`, `json`, `timeline`, `sequence`, or as in the chat."""
    store = Store()
    session = store.find(prefix) if prefix else store.newest()
    if how == "json":
        from ...core.sessions.transcript_file import to_json

        sys.stdout.write(to_json(store.transcript(session)).decode())
        return
    records = records_of(store, session)
    if how == "events":
        for record in records:
            sys.stdout.write(encode(record).decode() + "\n")
        return
    from ..view.theme import console

    if how == "timeline":
        from ...core.sessions.spans import exchange_spans
        from ..view.bars import print_timeline

        print_timeline(console(), exchange_spans(records))
    elif how == "sequence":
        from ...core.sessions.sequence import arrows
        from ..view.lanes import print_sequence

        print_sequence(console(), arrows(records))
    else:
        from ..view.conversation import show

        show(records, console())


def records_of(store: Store, session: str) -> list[Record]:
    """The records of a session; what could not be read of it is told on stderr."""
    reading = store.reading(session)
    for line in reading.damage:
        sys.stderr.write(f"asst: {reading.path}: {clean_line(line)}; it is left out.\n")
    return list(mended(reading.records))
