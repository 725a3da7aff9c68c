"""Writing a small file of the user's: all of it or nothing, for the user alone."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from .paths import private_dir

__all__ = ["write_atomically"]


def write_atomically(path: Path, text: str) -> None:
    """Replace the file by this text; a link stays a link.

    Raises:
        OSError: it cannot be written; the old file is as it was.
    """
    private_dir(path.parent)
    path = path.resolve()
    fd, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # it is made with 0600
    temporary = Path(name)
    try:
        with os.fdopen(fd, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
