"""Warnings for the person, outside of any conversation: what was put right, what is risky. Each is shown once.

A program gets them from the logger `asstproxy`; the command line prints them to stderr.
"""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["quieten_warnings", "set_warning_handler", "warn_once"]


def _log(line: str) -> None:
    from .redact import redacting_logger

    redacting_logger("asstproxy").warning("%s", line)


_shown: set[str] = set()
_handler: Callable[[str], object] = _log
_is_quiet = False


def set_warning_handler(handler: Callable[[str], object]) -> None:
    """Let `handler` show the warnings from now on."""
    global _handler  # noqa: PLW0603 - there is one person
    _handler = handler


def quieten_warnings() -> None:
    """Show only urgent warnings from now on."""
    global _is_quiet  # noqa: PLW0603 - there is one person
    _is_quiet = True


def warn_once(line: str, about: str = "", *, urgent: bool = False) -> None:
    """Show a line, unless it, or another one about the same, was shown before. `urgent`: also to a person who wants quiet."""
    if (urgent or not _is_quiet) and (about or line) not in _shown:
        _shown.add(about or line)
        _handler(line)
