"""The message of `asst ask`: its words, standard input, or both."""

from __future__ import annotations

import select
import sys
from collections.abc import Sequence
from typing import IO

from ..core.errors import UsageError

__all__ = ["read_prompt"]

_WAIT = 0.25
"""Seconds to wait for the first data from a pipe, when there is a prompt already."""


def read_prompt(words: Sequence[str], stdin: IO[str] | None, *, quiet: bool = False) -> str:
    """The prompt, then what stdin holds, separated by a blank line.

    Stdin is read when it is not a terminal and either the prompt is empty, or a word is `-`, or data arrives soon. So a
    prompt does not hang on a pipe that is never written to and never closed.

    Raises:
        UsageError: the message is empty, or stdin is not text.
    """
    prompt = " ".join(word for word in words if word != "-")
    parts = [prompt]
    if stdin is not None and ("-" in words or not stdin.isatty()):
        if not prompt or "-" in words or _has_data(stdin):
            parts.append(_decode(stdin.buffer.read()))  # type: ignore[attr-defined]  # a text file over bytes
        elif not quiet:
            sys.stderr.write("asst: Stdin is open but silent, so it was not read. To wait for it, add -\n")
    message = "\n\n".join(part.strip("\n") for part in parts if part.strip())
    if not message:
        raise UsageError("Nothing to ask.", 'Run: asst ask "…", or pipe text in.')
    return message


def _has_data(stdin: IO[str]) -> bool:
    try:
        return bool(select.select([stdin], [], [], _WAIT)[0])
    except (OSError, ValueError):
        return True  # `select` can't wait for it: a file on Windows


def _decode(data: bytes) -> str:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"Stdin is not text: byte {error.start} is not UTF-8.", "Convert it first.") from None
    if "\0" in text:
        raise UsageError("Stdin is not text: it contains NUL bytes.", "Convert it first.")
    return text.removeprefix("\ufeff")
