"""The lock of a session, on the journal itself.

Not `filelock`: it locks a second file, which would stay next to every session forever, since deleting it lets two processes in.
A lock on the journal's own descriptor leaves nothing behind, also after `kill -9`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["is_locked", "lock", "lock_holder"]

if sys.platform == "win32":
    import msvcrt

    def lock(fd: int, *, shared: bool = False) -> bool:  # noqa: ARG001 - Windows has no such lock
        """Lock the open file for this process; False if another process has locked it."""
        here = os.lseek(fd, 0, os.SEEK_CUR)
        try:
            os.lseek(fd, 1 << 40, os.SEEK_SET)  # far beyond the end, so that readers are not shut out
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(fd, here, os.SEEK_SET)
        return True

else:
    import fcntl

    def lock(fd: int, *, shared: bool = False) -> bool:
        """Lock the open file for this process; False if another process has locked it. `shared`: with others that only look."""
        try:
            fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def is_locked(path: Path) -> bool:
    """Whether a process has the session open for writing.

    Raises:
        OSError: the file can't be opened.
    """
    fd = os.open(path, os.O_RDWR if sys.platform == "win32" else os.O_RDONLY)
    try:
        return not lock(fd, shared=True)
    finally:
        os.close(fd)


def lock_holder(path: Path) -> str:
    """The process that holds the lock, for a message; only Linux knows its number (`/proc/locks`)."""
    try:
        inode = str(path.stat().st_ino)
        for line in Path("/proc/locks").read_text().splitlines():
            fields = line.split()  # 1: FLOCK ADVISORY WRITE <process> <major:minor:inode> 0 EOF
            if "FLOCK" in fields and "->" not in fields and fields[-3].rpartition(":")[2] == inode:
                process = int(fields[-4])
                return f"process {process}" if process > 0 else "a process of another container"
    except (OSError, IndexError, ValueError):
        pass
    return "another process"
