"""A pager for what is longer than the screen: `$PAGER`, else `less -R`. Into a pipe or a file it is just written."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from typing import IO, cast

__all__ = ["paged"]

_STYLES = re.compile(r"\x1b\[[0-9;]*m|\x1b\]8;[^\x1b\x07]*(?:\x07|\x1b\\\\)")
"""Colours and links, which take no room."""


@contextlib.contextmanager
def paged() -> Iterator[IO[str]]:
    """A stream in place of stdout: what is written to it appears at once if it fits on the screen, else in the pager.

    The reader may leave the pager before everything was written: the rest is dropped.
    """
    if (command := _command()) is None:
        yield sys.stdout
        return
    stream = _Stream(command)
    try:
        yield cast("IO[str]", stream)
    finally:
        stream.end()


class _Stream(io.TextIOBase):
    """Keeps the text until it is longer than the screen; then a pager takes it."""

    def __init__(self, command: list[str]) -> None:
        self._command = command
        self._columns, self._rows = shutil.get_terminal_size()
        self._kept: list[str] = []
        self._lines = 0
        self._pager: subprocess.Popen[bytes] | None = None
        self._left = False

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """What the text is written in."""
        return sys.stdout.encoding

    def isatty(self) -> bool:
        """It ends on a terminal."""
        return True

    def write(self, text: str) -> int:
        """Take a part of the text."""
        if self._pager is None:
            self._kept.append(text)
            self._lines += _rows_of(text, self._columns)
            if self._lines >= self._rows:
                self._start()
        else:
            self._send(text)
        return len(text)

    def end(self) -> None:
        """Print what was kept, or wait until the reader leaves the pager."""
        if self._pager is None:
            sys.stdout.write("".join(self._kept))
            sys.stdout.flush()
            return
        pipe = self._pager.stdin
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
        while self._pager.poll() is None:
            with contextlib.suppress(KeyboardInterrupt):  # Ctrl-C is the pager's key
                self._pager.wait()

    def _start(self) -> None:
        sys.stdout.flush()
        environment = {"LESS": "-RX", "LESSCHARSET": "utf-8"} | dict(os.environ)
        self._pager = subprocess.Popen(self._command, stdin=subprocess.PIPE, env=environment)  # noqa: S603 - the user's own
        self._send("".join(self._kept))
        self._kept.clear()

    def _send(self, text: str) -> None:
        if self._left or self._pager is None or self._pager.stdin is None:
            return
        try:
            self._pager.stdin.write(text.encode(self.encoding, "replace"))
            self._pager.stdin.flush()
        except OSError:
            self._left = True


def _rows_of(text: str, columns: int) -> int:
    """Rows that a text takes."""
    lines = _STYLES.sub("", text).split("\n")
    return len(lines) - 1 + sum(max(len(line) - 1, 0) // max(columns, 1) for line in lines)


def _command() -> list[str] | None:
    if not sys.stdout.isatty() or os.environ.get("TERM", "") in ("", "dumb"):
        return None
    named = os.environ.get("PAGER")
    try:
        command = shlex.split(named) if named is not None else ["less", "-R"]
    except ValueError:
        return None
    if not command or command == ["cat"] or shutil.which(command[0]) is None:
        return None
    return [*command, "-R"] if command == ["less"] else command  # otherwise it shows colours as ESC[1m
