"""Appending whole lines to a file: all of them, or none."""

from __future__ import annotations

import errno
import os
from pathlib import Path

__all__ = ["append_whole"]


def append_whole(fd: int, data: bytes, path: Path) -> None:
    """Append lines to a file that only this process writes: all of them or, on a full disk, none.

    Raises:
        OSError: they can't be written.
    """
    done = 0
    try:
        while done < len(data):
            done += os.write(fd, memoryview(data)[done:])
    except OSError as error:
        if done:
            os.ftruncate(fd, os.lseek(fd, 0, os.SEEK_END) - done)
        error.filename = error.filename or str(path)
        raise
    if not data.endswith(b"\n"):
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), str(path))
