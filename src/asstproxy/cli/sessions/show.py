"""`asst sessions show`: one session, as it looked in the chat or in another form."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from ...core.codec import encode
from ...core.events import Record
from ...store.recovery import repaired
from ...store.store import Store
from ...store.transcript import transcript_of
from ..error_output import print_warning
from ..standard_streams import write_json
from .batch_item import item_records

__all__ = ["print_paged", "records_of", "show_session"]


def show_session(prefix: str, form: str, *, states: bool = False) -> None:
    """Print a session: its `events`, `json`, `timeline`, `sequence`, or (the default) as it looked in the chat.

    `states`: the path of each turn, too.
    """
    store, records = Store(), item_records(prefix)
    session = "" if records else store.find(prefix) if prefix else store.newest()
    if form == "json":
        from ...store.transcript_file import to_json

        write_json(to_json(transcript_of(records) if records else store.transcript(session)))
        return
    records = records or records_of(store, session)
    if form == "events":
        for record in records:
            sys.stdout.write(encode(record).decode() + "\n")
        return
    from ..render.theme import console, encoding_warning

    if form == "timeline":
        from ...export.timings import exchange_spans
        from ..render.timeline_bars import print_timeline

        print_timeline(console(), exchange_spans(records))
    elif form == "sequence":
        from ...export.sequence import arrows
        from ..render.sequence_view import print_sequence

        print_sequence(console(), arrows(records))
    else:
        print_paged(records, states=states)
        if warning := encoding_warning():
            print_warning(warning)


def print_paged(records: Sequence[Record], *, states: bool = False) -> None:
    """Print a session as it looked in the chat; through the pager if it is longer than the screen."""
    from ..look import look
    from ..pager import paged
    from ..render.detail import Detail
    from ..render.print_conversation import print_conversation
    from ..render.theme import console
    from ..turn_price import turn_price
    from .session_header import session_header

    shown, transcript = console(), transcript_of(records)
    detail = Detail(
        states=states or look().states,
        model=transcript.model,
        turns=sum(not entry.compacts for entry in transcript.exchanges),
        cost=turn_price,
    )
    with paged() as stream:
        shown.file = stream
        if transcript.exchanges:
            shown.print(session_header(Store(), transcript, shown.width))
            shown.print()
        print_conversation(records, shown, detail)


def records_of(store: Store, session: str) -> list[Record]:
    """The records of a session. Damaged lines are skipped, with a warning."""
    journal = store.journal(session)
    for line in journal.damage:
        print_warning(f"{journal.path}: {line}; skipped.")
    return list(repaired(journal.records))
