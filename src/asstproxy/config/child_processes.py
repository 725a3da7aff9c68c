"""Descriptors that a child process which a tool forks (a daemon) must not keep: a session's lock, the pipe of the answer."""

from __future__ import annotations

import os
from contextlib import suppress

__all__ = ["close_in_children", "closed"]

_ours: set[int] = set()


def close_in_children(fd: int) -> None:
    """Have a child process that a tool forks (a daemon) not keep this descriptor: a lock, or a pipe whose reader waits."""
    _ours.add(fd)


def closed(fd: int) -> None:
    """Forget a descriptor that is about to be closed."""
    _ours.discard(fd)


def _drop() -> None:
    """In the child: its copies of the descriptors lead nowhere, so that a write to one fails."""
    with suppress(OSError):
        nowhere = os.open(os.devnull, os.O_RDONLY)
        for fd in _ours:
            os.dup2(nowhere, fd, inheritable=False)
        os.close(nowhere)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_drop)
