"""From an argument list to an exit code: every error becomes one line on stderr."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

from ..core.errors import OutputClosedError, OutputError, OutputStalledError, UsageError
from .exit_codes import FAILED, HUNG_UP, INTERRUPTED, OK, TERMINATED
from .standard_streams import output_failure

__all__ = ["run"]


def run(arguments: Sequence[str]) -> int:
    """Run the command; its exit code. Output that could not be written decides it.

    Anywhere before `--`, `--debug` adds the traceback to an error, `--env-file` reads variables first, and `--color`, `--theme`
    and `--plain-ui` say how to draw.
    """
    _end_on_signals()
    try:
        code = _run(list(arguments))
        sys.stdout.flush()
    except OutputError as error:
        return _report(error)
    except KeyboardInterrupt:
        return INTERRUPTED
    except SystemExit as stopped:
        return stopped.code if isinstance(stopped.code, int) else FAILED
    # It may have been recorded where nothing is raised: in the record that ended an exchange.
    failure = output_failure()
    return _report(failure) if failure is not None and code == OK else code


def _run(options: list[str]) -> int:
    if options in (["--version"], ["-V"]):  # answered before anything else is imported
        from .._version import __version__

        sys.stdout.write(f"asst {__version__}\n")
        return OK
    own = options[: options.index("--")] if "--" in options else options
    if "--debug" in own:
        from .error_output import show_tracebacks

        show_tracebacks()
        options.remove("--debug")
    completing = "_ASST_COMPLETE" in os.environ  # a completion prints nothing else
    from ..core.warnings import set_warning_handler

    set_warning_handler((lambda _: None) if completing else _warn)
    try:
        _as_text(options)
        if any(option.partition("=")[0] == "--env-file" for option in own):
            from .env_file import load_env_file

            load_env_file(options)
        if any(option.partition("=")[0] in ("--color", "--theme", "--plain-ui") for option in own):
            from .look import take_look_options

            take_look_options(options)
        if not options and not completing:
            from .overview import print_overview

            print_overview()
            return OK
        if completing:
            # typer would import Rich (80 ms) to take markup out of help that has none.
            sys.modules["rich"] = None  # type: ignore[assignment]
        from .app import app

        code = app(options, prog_name="asst", standalone_mode=False)
    except OutputError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it was, the user reads one line
        if type(error).__name__ == "NoArgsIsHelpError":  # of typer, in a private module: the subcommand is missing
            sys.stdout.write(f"{error}\n")
            return OK
        return _print(error)
    except SystemExit as stopped:
        if not isinstance(pipe := stopped.__context__, BrokenPipeError):
            raise
        return _print(pipe)  # of another file than stdout: typer takes them for the same
    return code if isinstance(code, int) else OK


def _as_text(arguments: list[str]) -> None:
    """Let the arguments be text: UTF-8, whatever the locale is.

    Raises:
        UsageError: one of them is not.
    """
    for number, argument in enumerate(arguments):
        if not any("\ud800" <= character <= "\udfff" for character in argument):
            continue
        try:
            arguments[number] = os.fsencode(argument).decode("utf-8")
        except UnicodeError:
            raise UsageError(
                f"Argument {number + 1} is not UTF-8 text.", "Convert it; for text in a file: asst ask - <FILE"
            ) from None


def _print(error: Exception) -> int:
    from .error_output import print_error

    return print_error(error)


def _report(error: OutputError) -> int:
    from .error_output import print_error
    from .exit_codes import exit_code

    return exit_code(error) if isinstance(error, OutputClosedError | OutputStalledError) else print_error(error)


def _warn(line: str) -> None:
    from .error_output import print_warning

    print_warning(line)


# ---- signals -----------------------------------------------------------------------------------------------------------


def _end_on_signals() -> None:
    """Let SIGTERM and SIGHUP end the command in an orderly way, unless they are ignored; `event_loop` has its own."""
    for name in ("SIGTERM", "SIGHUP"):  # Windows has no SIGHUP
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _end)


def _end(number: int, _: FrameType | None) -> NoReturn:
    raise SystemExit(TERMINATED if number == signal.SIGTERM else HUNG_UP)
