"""One writer for each session: a lock on the journal itself.

Not `filelock`: it locks a second file, which would stand beside every session for ever, since deleting it lets two
processes in. A lock on the journal's own descriptor leaves nothing behind, also after `kill -9`.
"""

from __future__ import annotations

import sys
from pathlib import Path

__all__ = ["lock", "lock_holder"]

if sys.platform == "win32":
    import msvcrt
    import os

    def lock(fd: int) -> bool:
        """Lock the open file for this process; False when another one holds it."""
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

    def lock(fd: int) -> bool:
        """Lock the open file for this process; False when another one holds it."""
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def lock_holder(path: Path) -> str:
    """Who holds the lock, in words; Linux knows the process (`/proc/locks`)."""
    try:
        inode = str(path.stat().st_ino)
        for line in Path("/proc/locks").read_text().splitlines():
            fields = line.split()
            if "FLOCK" in fields and "->" not in fields and fields[-3].rpartition(":")[2] == inode:
                number = int(fields[-4])
                return f"process {number}{_name(number)}" if number > 0 else "a process of another container"
    except (OSError, IndexError, ValueError):
        pass
    return "another process"


def _name(number: int) -> str:
    try:
        words = Path(f"/proc/{number}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return ""
    at = next((i for i, word in enumerate(words) if word.rpartition("/")[2] == "asst"), None)
    return f" (asst {words[at + 1]})" if at is not None and len(words) > at + 1 and words[at + 1] else ""
