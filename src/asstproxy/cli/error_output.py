"""Errors on stderr, one line each: what happened and what to do next."""

from __future__ import annotations

import sys
from typing import Any

from ..core.errors import AsstError
from ..core.redact import redact
from ..text.safe_text import clean, clean_line
from .exit_codes import FAILED, INTERRUPTED, USAGE, exit_code

__all__ = ["print_error", "print_warning", "show_tracebacks"]

_shows_tracebacks = False


def show_tracebacks() -> None:
    """Print where an error happened, too (`--debug`)."""
    global _shows_tracebacks  # noqa: PLW0603 - one command runs in a process
    _shows_tracebacks = True


def print_error(error: Exception, *, chat: bool = False) -> int:
    """Print what happened and what to do next, with slash commands in a chat; returns the exit code."""
    if _shows_tracebacks:
        _print_traceback(error)
    if isinstance(error, AsstError):
        from .hints import hint_for

        message, hint, code = str(error), hint_for(error, chat=chat), exit_code(error)
    elif hasattr(error, "format_message"):  # typer's own usage errors, whose module is private
        context = getattr(error, "ctx", None)
        hint = f"See: {context.command_path if context else 'asst'} --help"
        message, code = _usage_message(error), int(getattr(error, "exit_code", USAGE))
    elif type(error).__name__ == "Abort":
        message, hint, code = "Stopped. Nothing was changed.", "", INTERRUPTED
    elif isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        message, hint, code = f"{where}{error.strerror or error}.", "", FAILED
        if isinstance(error, FileNotFoundError) and not where:  # only the current folder has no name
            message, hint = "The current folder does not exist any more.", "Change to another one."
    else:
        message = f"{type(error).__name__}: {error}"
        hint, code = "This is a bug in asst. See where: --debug", FAILED
    from ..text.status_text import join_sentences

    print_warning(join_sentences(message, hint))
    return code


def _usage_message(error: Any) -> str:
    """Typer's own words, but of the options only one that is near: typer suggests `--theme` for `--resume`."""
    options = getattr(error, "possibilities", None)
    if not options:
        return str(error.format_message())
    from ..core.near_names import near_names

    typed = error.option_name
    near = [one for one in options if typed.startswith(one)] or near_names(typed, options)
    return f"{error.message}.{f' Did you mean {near[0]}?' if near else ''}"


def print_warning(line: str) -> None:
    """Print one line on stderr, without secrets and control characters."""
    sys.stderr.write(f"asst: {clean_line(redact(line))}\n")


def _print_traceback(error: BaseException) -> None:
    import traceback

    sys.stderr.write(clean(redact("".join(traceback.format_exception(error)))))
