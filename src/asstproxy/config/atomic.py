"""Replacing a small file of the user: the whole new content or the old file, readable by the user only."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from .paths import create_private, private_dir

__all__ = ["write_atomically"]


def write_atomically(path: Path, data: bytes, *, single_writer: bool = False) -> None:
    """Replace the content of a file. There is always a whole file, also after a power cut; a symbolic link stays one.

    `single_writer`: a lock makes this process the only one that writes the file. The temporary file then has a fixed name
    (`<stem>.tmp`), so that one left by a killed process is overwritten. Otherwise each write takes a new name.

    Raises:
        OSError: it can't be written; the old file is unchanged.
    """
    private_dir(path.parent)
    path = path.resolve()
    if single_writer:
        temporary = create_private(path.with_suffix(".tmp"))
        file = temporary.open("wb")
    else:
        import tempfile

        fd, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # created with mode 0600
        temporary, file = Path(name), os.fdopen(fd, "wb")
    try:
        with file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
