"""`asst sessions export` and `import`: sessions to and from files."""

from __future__ import annotations

import sys
from pathlib import Path

from ...export.write import export, form_of, write_export
from ...store.imports import import_file
from ...store.store import Store
from ..standard_streams import write_json
from .listing import count_of, line_of, print_json
from .show import records_of

__all__ = ["export_session", "import_sessions"]


def export_session(prefix: str, form: str, output: Path | None) -> None:
    """Write a session to stdout or to a new file. Without a `form`, the file's suffix chooses it.

    Raises:
        UsageError: the file exists, or it can't be written.
    """
    store = Store()
    form = form or form_of(output)
    data = _exported(store, store.find(prefix) if prefix else store.newest(), form)
    if output is None:
        if form == "json":
            write_json(data)
        else:  # a file in UTF-8, whatever the terminal is
            sys.stdout.buffer.write(data)
        return
    write_export(output, data)


def _exported(store: Store, session: str, form: str) -> bytes:
    records = records_of(store, session)
    from ...store.transcript import TranscriptBuilder

    fold = TranscriptBuilder(session)
    for record in records:
        fold.feed(record)
    return export(fold.transcript, records, form)


def import_sessions(file: Path, *, as_json: bool) -> None:
    """Import the sessions of a file and print them."""
    store = Store()
    ids = import_file(store, file)
    if as_json:
        print_json(ids)
        return
    for session in ids:
        sys.stdout.write(f"{line_of(store.summary(session))}\n")
    sys.stderr.write(f"Imported {count_of(len(ids))}.\n")
