"""`--env-file FILE`: variables from a `.env` file. Nothing is read without the option."""

from __future__ import annotations

import io
import os
import re

from ..config.paths import expand_home, refuse_device
from ..core.errors import UsageError

__all__ = ["load_env_file", "loaded", "parse"]

loaded: dict[str, str] = {}
"""The variables that were set from a file, each with the file's name."""

_OPTION = "--env-file"
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)


def load_env_file(arguments: list[str]) -> None:
    """Remove the option from the arguments, and set the file's variables unless they are set already.

    Raises:
        UsageError: the file can't be read, or has an error. The message quotes nothing of its content.
    """
    end = arguments.index("--") if "--" in arguments else len(arguments)
    while (at := next((i for i in range(end) if arguments[i].partition("=")[0] == _OPTION), None)) is not None:
        _, equals, name = arguments.pop(at).partition("=")
        end -= 1
        if not equals:
            if at < end and not arguments[at].startswith("-"):
                name = arguments.pop(at)
                end -= 1
            else:
                name = ".env"
        path = refuse_device(expand_home(name))
        try:
            text = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            raise UsageError(f"{path} is not UTF-8 text.", f"{_OPTION} takes a file of lines NAME=value.") from None
        except OSError as error:
            hint = f"{_OPTION} takes a file of lines NAME=value."
            raise UsageError(f"Can't read {path}: {error.strerror}.", hint) from None
        for variable, value in parse(text, str(path)).items():
            if variable not in os.environ:
                os.environ[variable] = value
                loaded[variable] = name


def parse(text: str, name: str = ".env") -> dict[str, str]:
    """The variables of a `.env` file: `NAME=value`, with `export`, quotes and comments. Nothing is expanded.

    Raises:
        UsageError: a line is something else. The message has its number, not its text, which may be a key.
    """
    from dotenv.parser import parse_stream  # not `dotenv_values`, which skips a line that it can't read

    variables: dict[str, str] = {}
    for binding in parse_stream(io.StringIO(text, newline="")):
        if binding.key is None and not binding.error:  # a comment, or the end
            continue
        key, value = binding.key or "", binding.value
        if value is None or "\0" in value or not _NAME.fullmatch(key):
            source = binding.original.string
            skipped = source[: len(source) - len(source.lstrip())]  # empty lines count to the line after them
            line = binding.original.line + len(re.findall(r"\r\n|\n|\r", skipped))
            raise UsageError(f"{name}, line {line}: expected NAME=value.", "Fix the file.")
        variables[key] = value
    return variables
