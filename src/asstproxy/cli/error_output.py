"""Errors on stderr, one line each: what happened and what to do next. A chat draws them in its own way."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any, NamedTuple, Protocol

from ..core.errors import AsstError
from ..core.redact import redact
from ..text.safe_text import clean, clean_line
from .exit_codes import FAILED, INTERRUPTED, USAGE, exit_code

__all__ = ["ErrorView", "errors_drawn", "print_error", "print_warning", "show_tracebacks"]

_shows_tracebacks = False


def show_tracebacks() -> None:
    """Print where an error happened, too (`--debug`)."""
    global _shows_tracebacks  # noqa: PLW0603 - one command runs in a process
    _shows_tracebacks = True


class ErrorView(Protocol):
    """Draws errors and warnings, which hold no secrets and no control characters."""

    def error(self, message: str, hint: str) -> None:
        """Draw what happened, and what to do next if that is known."""

    def warning(self, line: str) -> None:
        """Draw one line."""


_view: ContextVar[ErrorView | None] = ContextVar("errors", default=None)


@contextlib.contextmanager
def errors_drawn(view: ErrorView) -> Iterator[None]:
    """Within it, a chat's view draws the errors, and slash commands are what to do next."""
    before = _view.set(view)
    try:
        yield
    finally:
        _view.reset(before)


def print_error(error: Exception) -> int:
    """Print what happened and what to do next; returns the exit code."""
    if _shows_tracebacks:
        _print_traceback(error)
    view = _view.get()
    worded = _in_words(error, chat=view is not None)
    if view is not None:
        view.error(clean_line(redact(worded.message)), clean_line(redact(worded.hint)))
        return worded.code
    from ..text.status_text import join_sentences

    print_warning(join_sentences(worded.message, worded.hint))
    return worded.code


def _usage_message(error: Any) -> str:
    """Typer's own words, and of its options only what is near: typer suggests `--theme` for `--resume`."""
    options = getattr(error, "possibilities", None)
    if not options:
        return str(error.format_message())
    from ..core.near_names import near_names

    typed = error.option_name
    near = [one for one in options if typed.startswith(one)] or near_names(typed, options)
    return f"{error.message}.{f' Did you mean {near[0]}?' if near else ''}"


def print_warning(line: str) -> None:
    """Print one line, without secrets and control characters."""
    harmless, view = clean_line(redact(line)), _view.get()
    if view is not None:
        view.warning(harmless)
    else:
        sys.stderr.write(f"asst: {harmless}\n")


class _Words(NamedTuple):
    message: str
    hint: str
    code: int


def _in_words(error: Exception, *, chat: bool) -> _Words:
    if isinstance(error, AsstError):
        from .hints import hint_for

        return _Words(str(error), hint_for(error, chat=chat), exit_code(error))
    if hasattr(error, "format_message"):  # typer's own usage errors, whose module is private
        context = getattr(error, "ctx", None)
        hint = f"See: {context.command_path if context else 'asst'} --help"
        return _Words(_usage_message(error), hint, int(getattr(error, "exit_code", USAGE)))
    if type(error).__name__ == "Abort":
        return _Words("Stopped. Nothing was changed.", "", INTERRUPTED)
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        if isinstance(error, FileNotFoundError) and not where:  # only the current folder has no name
            return _Words("The current folder does not exist any more.", "Change to another one.", FAILED)
        return _Words(f"{where}{error.strerror or error}.", "", FAILED)
    bug = f"{type(error).__name__}: {error}"
    if chat:
        return _Words(f"asst has a bug: {bug}", "See where: asst --debug chat · to report it: asst doctor -v", FAILED)
    return _Words(bug, "This is a bug in asst. See where: --debug", FAILED)


def _print_traceback(error: BaseException) -> None:
    import traceback

    sys.stderr.write(clean(redact("".join(traceback.format_exception(error)))))
