"""The message of `asst ask`: its words, standard input, or both."""

from __future__ import annotations

import select
import sys
from collections.abc import Sequence
from typing import IO

from ..core.errors import UsageError

__all__ = ["read_prompt"]

WAIT = 0.25
"""Seconds for the other side of a pipe to say something, when there is a prompt already."""


def read_prompt(words: Sequence[str], stdin: IO[str] | None, *, quiet: bool = False) -> str:
    """The prompt, then what stands on stdin, separated by a blank line.

    Stdin is read when it is no terminal and either there is no prompt, or a word is `-`, or data is there. So a prompt with a
    pipe that nobody writes to and nobody closes does not hang.

    Raises:
        UsageError: there is no message, or stdin is not text.
    """
    prompt = " ".join(word for word in words if word != "-")
    parts = [prompt]
    if stdin is not None and ("-" in words or not stdin.isatty()):
        if not prompt or "-" in words or _has_data(stdin):
            parts.append(_text(stdin.buffer.read()))  # type: ignore[attr-defined]  # a text file over bytes
        elif not quiet:
            sys.stderr.write("asst: stdin is open but silent, so it was not read (a lone - waits for it).\n")
    message = "\n\n".join(part.strip("\n") for part in parts if part.strip())
    if not message:
        raise UsageError("There is no message.", 'Say: asst ask "…", or pipe it in.')
    return message


def _has_data(stdin: IO[str]) -> bool:
    try:
        return bool(select.select([stdin], [], [], WAIT)[0])
    except (OSError, ValueError):
        return True  # not a thing that one can wait for, such as a file on Windows


def _text(data: bytes) -> str:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"Stdin is not text: byte {error.start} is not UTF-8.", "Convert it first.") from None
    if "\0" in text:
        raise UsageError("Stdin is not text: it holds NUL bytes.", "Convert it first.")
    return text.removeprefix("\ufeff")
