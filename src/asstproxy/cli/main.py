"""From an argument list to an exit code: every error becomes one line on stderr."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence

from ..core.warnings import set_warning_handler
from .exit_codes import CLOSED_PIPE, INTERRUPTED, OK

__all__ = ["run"]


def run(arguments: Sequence[str]) -> int:
    """Run the command; its exit code.

    Anywhere before `--`, `--debug` adds the traceback to an error, and `--env-file` reads variables first.
    """
    options = list(arguments)
    own = options[: options.index("--")] if "--" in options else options
    debug = "--debug" in own
    if debug:
        options.remove("--debug")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # an answer is printed in any encoding: `?` stands for what it lacks
    completing = "_ASST_COMPLETE" in os.environ  # a completion prints nothing else
    set_warning_handler((lambda _: None) if completing else _warn)
    try:
        if any(option.partition("=")[0] == "--env-file" for option in own):
            from .env_file import load_env_file

            load_env_file(options)
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
    except Exception as error:  # noqa: BLE001 - whatever it was, the user reads one line
        if type(error).__name__ == "NoArgsIsHelpError":  # of typer, in a private module: the subcommand is missing
            sys.stdout.write(f"{error}\n")
            return OK
        from .error_output import print_error, print_traceback

        if debug:
            print_traceback(error)
        return print_error(error)
    return code if isinstance(code, int) else OK


def _warn(line: str) -> None:
    from .error_output import print_warning

    print_warning(line)


def _forget_stdout() -> None:
    # Python flushes stdout once more when it ends, and would complain.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
