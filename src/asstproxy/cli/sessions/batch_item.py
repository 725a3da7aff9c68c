"""An item of a batch as a session: `OUT.jsonl#ID`."""

from __future__ import annotations

from pathlib import Path

from ...core.errors import SessionError
from ...core.events import Record

__all__ = ["item_records"]


def item_records(name: str) -> list[Record] | None:
    """The records of an item; None if the name isn't that of one.

    Raises:
        SessionError: the batch doesn't have the item, or it was not asked yet.
    """
    out, hash_, item = name.partition("#")
    if not hash_ or not out:
        return None
    from ...batches.journal import JOURNAL, find_item, folder_of

    journal = folder_of(Path(out)) / JOURNAL
    if not journal.is_file():
        raise SessionError(f"No batch writes {out}.", "Name the file that was given to -o: OUT.jsonl#ID")
    if not (records := find_item(journal, item)):
        raise SessionError(f'The batch {out} has not asked an item "{item}".', f"See: asst batch status {out}")
    return records
