"""`--env-file FILE`: variables from a file, as the pilot had them in `.env`. Nothing is read without the option."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ..core.errors import UsageError

__all__ = ["parse", "take_env_file", "taken"]

taken: dict[str, str] = {}
"""The variables that came from a file, and its name."""

OPTION = "--env-file"
_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*?)\s*", re.ASCII | re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


def take_env_file(options: list[str]) -> None:
    """Take the option out of the arguments and set the file's variables, unless they are set already.

    Raises:
        UsageError: the file cannot be read, or has an error; never with a word of what stands in it.
    """
    end = options.index("--") if "--" in options else len(options)
    while (at := next((i for i in range(end) if options[i].partition("=")[0] == OPTION), None)) is not None:
        _, equals, name = options.pop(at).partition("=")
        end -= 1
        if not equals:
            if at < end and not options[at].startswith("-"):
                name = options.pop(at)
                end -= 1
            else:
                name = ".env"
        path = Path(name).expanduser()
        try:
            text = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            raise UsageError(f"{path} is not UTF-8 text.", f"{OPTION} takes a file of lines NAME=value.") from None
        except OSError as error:
            raise UsageError(
                f"{path} cannot be read: {error.strerror}.", f"{OPTION} takes a file of lines NAME=value."
            ) from None
        for variable, value in parse(text, str(path)).items():
            if variable not in os.environ:
                os.environ[variable] = value
                taken[variable] = name


def parse(text: str, name: str = ".env") -> dict[str, str]:
    """The variables: `NAME=value`, with `export`, quotes and comments; nothing is expanded.

    Raises:
        UsageError: a line is none of this; its number is named, not its text.
    """
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        value = _value(match[2]) if match else None
        if match is None or value is None or "\0" in value:
            raise UsageError(f"{name}, line {number}: expected NAME=value.", "Mend the file.")
        found[match[1]] = value
    return found


def _value(raw: str) -> str | None:
    """A value without its quotes and the comment behind it; None when a quote is not closed."""
    if raw[:1] in ("'", '"'):
        quoted = re.fullmatch(r"""(?:'([^']*)'|"((?:[^"\\]|\\.)*)")\s*(?:#.*)?""", raw)
        if quoted is None:
            return None
        if quoted[1] is not None:
            return quoted[1]
        return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), quoted[2])
    return re.split(r"\s+#|^#", raw, maxsplit=1)[0].rstrip()
