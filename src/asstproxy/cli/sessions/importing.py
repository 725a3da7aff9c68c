"""`asst sessions import`: keep sessions that come from elsewhere."""

from __future__ import annotations

import sys
from pathlib import Path

from ...store.imports import import_file as imported
from ...store.store import Store
from .listing import line_of, print_json

__all__ = ["import_file"]


def import_file(file: Path, *, as_json: bool) -> None:
    """Import a file and say what came of it."""
    store = Store()
    ids = imported(store, file)
    if as_json:
        print_json(ids)
        return
    for one in ids:
        sys.stdout.write(f"{line_of(store.summary(one))}\n")
    sys.stderr.write(f"{len(ids)} session{'' if len(ids) == 1 else 's'} imported.\n")
