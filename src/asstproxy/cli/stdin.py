"""The message of `asst ask`: its words, standard input, or both."""

from __future__ import annotations

import codecs
import os
import select
import sys
import time
from collections.abc import Sequence
from typing import IO

from ..core.errors import UsageError

__all__ = ["read_prompt"]

_WAIT = 2.0
"""Seconds to wait for the first byte of a pipe that no process of the pipeline writes to."""
_LOOK = 0.25
"""Seconds between two looks for such a process."""
_LARGEST = 64 * 1024 * 1024
"""Bytes: more than any model reads. A device never ends."""
_PIECE = 1 << 16


def read_prompt(words: Sequence[str], stdin: IO[str] | None, *, waits: bool = True, may_be_empty: bool = False) -> str:
    """The prompt, then what stdin holds, separated by a blank line.

    `waits`: without a prompt, stdin is waited for, however long. `may_be_empty`: there need not be a message,
    because a file or a template is all of it.

    Stdin is read to its end when it is not a terminal and either the prompt is missing, or a word is `-`, or another process of
    the pipeline has it open, or data comes within 2 s. So no data is lost, and a prompt does not hang on a pipe that is never
    written to and never closed.

    Raises:
        UsageError: the message is empty, or stdin is not text or has no end.
    """
    prompt = " ".join(word for word in words if word != "-")
    parts = [prompt]
    if stdin is not None and ("-" in words or not stdin.isatty()):
        if (waits and not prompt) or "-" in words or _is_written(stdin.fileno()):
            parts.append(_decode(_read(stdin.fileno())))
        else:  # even with --quiet: what was left out may matter
            sys.stderr.write(
                "asst: Stdin is open but silent, so it was left out. To wait for it, add - (or --no-stdin).\n"
            )
    message = "\n\n".join(part.strip("\n") for part in parts if part.strip())
    if not message and not may_be_empty:
        raise UsageError("Nothing to ask.", 'Run: asst ask "…", or pipe text in.')
    return message


def _is_written(fd: int) -> bool:
    """Wait for data, the end, or a reason not to wait."""
    try:
        if select.select([fd], [], [], 0)[0]:
            return True
        from .pipe_writers import find_writer

        deadline = time.monotonic() + _WAIT
        while not select.select([fd], [], [], _LOOK)[0]:
            if find_writer(fd):
                select.select([fd], [], [])
            elif time.monotonic() > deadline:
                return False
    except (OSError, ValueError):
        pass  # `select` can't wait for it: a file on Windows
    return True


def _read(fd: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while piece := os.read(fd, _PIECE):
        if not pieces and b"\0" in piece and not piece.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise _not_text(piece)
        pieces.append(piece)
        size += len(piece)
        if size > _LARGEST:
            raise UsageError(f"Stdin is too long: more than {_LARGEST >> 20} MB.", "Send a part of it.")
    return b"".join(pieces)


def _not_text(start: bytes) -> UsageError:
    """The error for a file that begins so, which may be one to attach."""
    from ..files.media_type import media_type

    kind = media_type(start, whole=False)
    if not kind:
        return UsageError("Stdin is not text: it contains NUL bytes.", "Convert it first.")
    return UsageError(f"Stdin is not text: it is {kind}.", 'Attach it: asst ask -a - "…"')


def _decode(data: bytes) -> str:
    encoding = "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        name = encoding.removesuffix("-sig").upper()
        raise UsageError(f"Stdin is not text: byte {error.start} is not {name}.", "Convert it first.") from None
    if "\0" in text:
        raise UsageError("Stdin is not text: it contains NUL bytes.", "Convert it first.")
    return text
