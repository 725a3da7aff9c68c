"""`asst sessions export` and `import`: sessions to and from files."""

from __future__ import annotations

import sys
from pathlib import Path

from ...config.paths import expand_home
from ...core.errors import AsstError, UsageError
from ...export.write import export, form_of, write_export
from ...store.imports import import_file
from ...store.store import Store
from ...store.transcript import transcript_of
from ..standard_streams import write_json
from .listing import count_of, line_of, print_json
from .show import records_of

__all__ = ["export_session", "import_sessions"]


def export_session(prefix: str, form: str, output: Path | None, *, with_files: bool = False) -> None:
    """Write a session to stdout or to a new file. Without a `form`, the file's suffix chooses it.

    `with_files`: a transcript has the bytes of attachments in it.

    Raises:
        UsageError: the file exists, or it can't be written.
    """
    store = Store()
    if output is not None:
        if str(output) in (".", "-"):  # `-o ""` is `.`
            raise UsageError("-o needs the name of a file.", "Leave it out: the session is on stdout.")
        output = expand_home(str(output))
    form = form or form_of(output)
    data = _exported(store, store.find(prefix) if prefix else store.newest(), form, with_files=with_files)
    if output is None:
        if form == "json":
            write_json(data)
        else:  # a file in UTF-8, whatever the terminal is
            sys.stdout.buffer.write(data)
        return
    write_export(output, data)


def _exported(store: Store, session: str, form: str, *, with_files: bool) -> bytes:
    records = records_of(store, session)
    transcript = transcript_of(records, session)
    return export(transcript, records, form, files=store.files(session), with_files=with_files)


def import_sessions(file: Path, *, as_json: bool) -> None:
    """Import the sessions of a file, and print each as soon as it is saved; those that are there already are counted."""
    store = Store()
    ids: list[str] = []
    there = 0
    try:
        for one in import_file(store, file):
            there += not one.is_new
            if one.is_new:
                ids.append(one.session)
                if not as_json:
                    sys.stdout.write(f"{line_of(store.summary(one.session))}\n")
    except AsstError:
        if ids:
            sys.stderr.write(f"Imported {count_of(len(ids))} before it failed. The next import leaves them out.\n")
            if as_json:
                print_json(ids)
        raise
    if as_json:
        print_json(ids)
        return
    already = f" {count_of(there)} {'was' if there == 1 else 'were'} there already." if there else ""
    sys.stderr.write(f"Imported {count_of(len(ids))}.{already}\n")
