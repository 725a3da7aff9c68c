"""Which process writes to a pipe that we read: a part of our pipeline, or only the program that started us?

`(sleep 60; echo DATA) | asst ask` must wait; an agent that leaves its end of our stdin open must not be waited for. Both look
the same to `select`. Linux knows who has the other end open; elsewhere nothing is found.
"""

from __future__ import annotations

import os
import stat
import sys

__all__ = ["find_writer"]


def find_writer(fd: int) -> int:
    """A process that has the pipe `fd` open for writing and is neither this one nor an ancestor of it; 0 if none is found.

    A process of our process group that we may not look into (`sudo cat | asst ask`) counts as one.
    """
    if sys.platform != "linux" or not stat.S_ISFIFO(os.fstat(fd).st_mode):
        return 0
    try:
        pipe = os.readlink(f"/proc/self/fd/{fd}")  # noqa: PTH115 - as fast as possible
        others = {int(name) for name in os.listdir("/proc") if name.isdigit()} - _ancestors()
        own_group = os.getpgrp()
    except OSError:  # /proc is missing
        return 0
    groups = {process: _group_of(process) for process in others}
    # A pipeline is a process group: its members come first, and one look is nearly always enough.
    for process in sorted(others, key=lambda process: groups[process] != own_group):
        if _writes(process, pipe, unknown=groups[process] == own_group):
            return process
    return 0


def _ancestors() -> set[int]:
    """This process and those that it descends from."""
    found, process = set[int](), os.getpid()
    while process > 0 and process not in found:
        found.add(process)
        with open(f"/proc/{process}/stat", "rb") as file:  # noqa: PTH123 - as fast as possible
            process = int(file.read().rpartition(b")")[2].split()[1])
    return found


def _group_of(process: int) -> int:
    if sys.platform == "win32":  # has no process groups, and no /proc
        return 0
    try:
        return os.getpgid(process)
    except OSError:
        return 0


def _writes(process: int, pipe: str, *, unknown: bool) -> bool:
    folder = f"/proc/{process}/fd"
    try:
        for name in os.listdir(folder):
            path = f"{folder}/{name}"
            try:
                if os.readlink(path) == pipe and os.lstat(path).st_mode & stat.S_IWUSR:  # noqa: PTH115
                    return True
            except OSError:  # closed just now
                continue
    except PermissionError:
        return unknown
    except OSError:  # it has ended
        return False
    return False
