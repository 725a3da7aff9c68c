"""A folder for the files of the targets, in memory where there is such a place: a disk would be the slowest part."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import tempfile
from pathlib import Path

__all__ = ["place"]


@functools.cache
def place() -> Path:
    """The folder, of this process alone; it is deleted at its end."""
    memory = "/dev/shm"
    folder = tempfile.mkdtemp(prefix="asst-fuzz-", dir=memory if os.access(memory, os.W_OK) else None)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)
