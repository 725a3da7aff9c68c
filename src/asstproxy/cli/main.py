"""From an argument list to an exit code: every error becomes one line on stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from ..core.errors import AsstError
from ..core.redact import redact
from ..core.warnings import set_listener

__all__ = ["CLOSED_PIPE", "INTERRUPTED", "TERMINATED", "TIMED_OUT", "complain", "run"]

TIMED_OUT = 124
INTERRUPTED = 130
CLOSED_PIPE = 141  # as if SIGPIPE had ended us: what a shell's `pipefail` expects
TERMINATED = 143


def run(arguments: Sequence[str]) -> int:
    """Run the command; its exit code.

    Anywhere before `--`, `--debug` adds the traceback to an error, and `--env-file` reads variables first.
    """
    options = list(arguments)
    own = options[: options.index("--")] if "--" in options else options
    debug = "--debug" in own
    if debug:
        options.remove("--debug")
    completing = "_ASST_COMPLETE" in os.environ  # a completion never says anything
    set_listener((lambda _: None) if completing else _notice)
    try:
        if any(option.partition("=")[0] == "--env-file" for option in own):
            from .env_file import take_env_file

            take_env_file(options)
        if completing:
            # typer would import Rich (80 ms) to take markup out of help that has none.
            sys.modules["rich"] = None  # type: ignore[assignment]
        from .app import app

        code = app(options, prog_name="asst", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        _forget_stdout()
        return CLOSED_PIPE
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - whatever it was, it is told in one line
        if debug:
            _traceback(error)
        return complain(error)
    return code if isinstance(code, int) else 0


def complain(error: Exception) -> int:
    """Say on stderr, in one line, what happened and what to do next; the exit code."""
    if isinstance(error, AsstError):
        message, hint, code = str(error), error.hint, error.exit_code
    elif hasattr(error, "format_message"):  # typer's own usage errors, whose module is private
        message, hint, code = error.format_message(), "See: asst --help", int(getattr(error, "exit_code", 2))
    elif type(error).__name__ == "Abort":
        message, hint, code = "Stopped; nothing was changed.", "", INTERRUPTED
    elif isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        message, hint, code = f"{where}{error.strerror or error}.", "", 1
    else:
        message = f"{type(error).__name__}: {error}"
        hint, code = "This is a fault of asst: --debug shows where.", 1
    from .render.safe_text import clean_line

    sys.stderr.write(f"asst: {clean_line(redact(f'{message} {hint}'))}\n")
    return code


def _notice(line: str) -> None:
    from .render.safe_text import clean_line

    sys.stderr.write(f"asst: {clean_line(redact(line))}\n")


def _traceback(error: BaseException) -> None:
    import traceback

    from .render.safe_text import clean

    sys.stderr.write(clean(redact("".join(traceback.format_exception(error)))))


def _forget_stdout() -> None:
    # Python flushes stdout once more when it ends, and would complain.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
