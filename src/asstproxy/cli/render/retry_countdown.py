"""Waiting for the next attempt, in words; and on stderr, where the answer is drawn nowhere."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
from typing import TextIO

from asstproxy.core.events import Record, RetryScheduled

from .safe_text import clean_line

__all__ = ["WaitingLine", "attempt_in"]

_ERASE = "\r\x1b[K"


def attempt_in(note: RetryScheduled, left: float) -> str:
    """Which attempt comes next, and in how many seconds: `attempt 2 of 4 in 12 s`."""
    which = f"attempt {note.attempt + 1}" + (f" of {note.attempts}" if note.attempts else "")
    return f"{which} in {math.ceil(left)} s" if left > 0 else which


class WaitingLine:
    """One line on stderr for each attempt that failed. `counts`: it counts the seconds down until the next one."""

    def __init__(self, stderr: TextIO, *, counts: bool) -> None:
        self._stderr, self._counts = stderr, counts
        self._note: RetryScheduled | None = None
        self._until = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def __call__(self, record: Record) -> None:
        """See what a record is about: an attempt that failed, or the end of the waiting."""
        self.close()
        if isinstance(record.event, RetryScheduled):
            self._note = record.event
            if self._counts:
                self._until = asyncio.get_running_loop().time() + record.event.delay
                self._tick()
            else:
                self.close()

    def close(self) -> None:
        """Nothing is waited for any more: the line stays as it was first."""
        if self._timer is not None:
            self._timer.cancel()
        note, self._note, self._timer = self._note, None, None
        if note is not None:
            self._stderr.write((_ERASE if self._counts else "") + _line(note, note.delay) + "\n")
            self._stderr.flush()

    def _tick(self) -> None:
        if self._note is None:
            return
        loop = asyncio.get_running_loop()
        left = self._until - loop.time()
        if left <= 0:
            self.close()
            return
        self._stderr.write(_ERASE + _cut(_line(self._note, left), self._stderr))
        self._stderr.flush()
        self._timer = loop.call_later(left - math.ceil(left) + 1, self._tick)


def _line(note: RetryScheduled, left: float) -> str:
    return f"asst: {attempt_in(note, left)}: {clean_line(note.message)}"


def _cut(line: str, terminal: TextIO) -> str:
    from rich.cells import cell_len, set_cell_size  # only now: an answer that comes at once needs no Rich

    with contextlib.suppress(OSError, ValueError):
        room = os.get_terminal_size(terminal.fileno()).columns - 1
        return set_cell_size(line, room) if cell_len(line) > room else line
    return line
