"""Lines for the person that are no part of a conversation: what was put right, what is risky. Each is told once.

A program gets them as warnings of the logger `asstproxy`; the command line writes them to stderr, unless `--quiet` was said.
"""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["notify", "set_listener"]


def _log(line: str) -> None:
    from .redact import redacting_logger

    redacting_logger("asstproxy").warning("%s", line)


_told: set[str] = set()
_listener: Callable[[str], object] = _log


def set_listener(listener: Callable[[str], object]) -> None:
    """Let somebody else tell the lines from now on."""
    global _listener  # noqa: PLW0603 - there is one person
    _listener = listener


def notify(line: str, about: str = "") -> None:
    """Tell a line, if it (or one that is about the same) was not told before."""
    if (about or line) not in _told:
        _told.add(about or line)
        _listener(line)
