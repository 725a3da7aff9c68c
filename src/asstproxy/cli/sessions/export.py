"""`asst sessions export`: a session in another form, on stdout or in a file."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ...core.errors import UsageError
from ...store.store import Store
from .show import records_of

__all__ = ["export_session"]


def export_session(prefix: str, form: str, output: Path | None) -> None:
    """Write a session; a file that is there already is left alone.

    Raises:
        UsageError: the file is there, or cannot be written.
    """
    store = Store()
    data = _exported(store, store.find(prefix) if prefix else store.newest(), form)
    if output is None:
        sys.stdout.buffer.write(data)
        return
    try:
        # For the user alone: whom a conversation is shown to is for a person to say.
        with os.fdopen(os.open(output, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            file.write(data)
    except FileExistsError:
        raise UsageError(f"{output} is there already.", "Choose another name.") from None
    except OSError as error:
        raise UsageError(f"{output} cannot be written: {error.strerror}.") from error


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
