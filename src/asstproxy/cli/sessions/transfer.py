"""`asst sessions export` and `import`: sessions to and from files."""

from __future__ import annotations

import sys
from pathlib import Path

from ...config.atomic import write_new
from ...core.errors import UsageError
from ...store.imports import import_file
from ...store.store import Store
from ..standard_streams import write_json
from .listing import count_of, line_of, print_json
from .show import records_of

__all__ = ["export_session", "import_sessions"]


def export_session(prefix: str, form: str, output: Path | None) -> None:
    """Write a session to stdout or to a new file.

    Raises:
        UsageError: the file exists, or it can't be written.
    """
    store = Store()
    data = _exported(store, store.find(prefix) if prefix else store.newest(), form)
    if output is None:
        if form == "json":
            write_json(data)
        else:  # a file in UTF-8, whatever the terminal is
            sys.stdout.buffer.write(data)
        return
    try:
        write_new(output, data)  # private: whether others may read a conversation is for its owner to decide
    except FileExistsError:
        raise UsageError(f"{output} already exists.", "Choose another name.") from None
    except OSError as error:
        raise UsageError(f"Can't write {output}: {error.strerror}.") from error


def _exported(store: Store, session: str, form: str) -> bytes:
    records = records_of(store, session)
    if form == "mermaid":
        from ..export.mermaid import mermaid
        from ..render.sequence import arrows

        return mermaid(arrows(records)).encode()
    from ...store.transcript import TranscriptBuilder

    fold = TranscriptBuilder(session)
    for record in records:
        fold.feed(record)
    if form == "html":
        from ..export.html import page

        return page(fold.transcript, records).encode("utf-8", "replace")
    if form == "md":
        from ..export.markdown import markdown

        return markdown(fold.transcript).encode("utf-8", "replace")
    from ...store.transcript_file import to_json

    return to_json(fold.transcript)


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
