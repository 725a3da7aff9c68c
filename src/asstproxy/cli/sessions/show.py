"""`asst sessions show`: one session, as it was in the chat or drawn in another way."""

from __future__ import annotations

import sys

from ...core.codec import encode
from ...core.events import Record
from ...store.recovery import repaired
from ...store.store import Store
from ..render.safe_text import clean_line

__all__ = ["records_of", "show_session"]


def show_session(prefix: str, how: str) -> None:
    """Print a session: `events`, `json`, `timeline`, `sequence`, or as in the chat."""
    store = Store()
    session = store.find(prefix) if prefix else store.newest()
    if how == "json":
        from ...store.transcript_file import to_json

        sys.stdout.write(to_json(store.transcript(session)).decode())
        return
    records = records_of(store, session)
    if how == "events":
        for record in records:
            sys.stdout.write(encode(record).decode() + "\n")
        return
    from ..render.theme import console

    if how == "timeline":
        from ..render.timeline_bars import print_timeline
        from ..render.timings import exchange_spans

        print_timeline(console(), exchange_spans(records))
    elif how == "sequence":
        from ..render.sequence import arrows
        from ..render.sequence_lanes import print_sequence

        print_sequence(console(), arrows(records))
    else:
        from ..render.conversation import show

        show(records, console())


def records_of(store: Store, session: str) -> list[Record]:
    """The records of a session; what could not be read of it is told on stderr."""
    reading = store.journal(session)
    for line in reading.damage:
        sys.stderr.write(f"asst: {reading.path}: {clean_line(line)}; it is left out.\n")
    return list(repaired(reading.records))
