"""The wait before a retry: as text for the live view, and as a line on stderr without one."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
from typing import TYPE_CHECKING, NamedTuple, TextIO

from ...core.events import Record, RetryScheduled
from ...text.safe_text import clean_line

if TYPE_CHECKING:
    from rich.text import Text

__all__ = ["PendingRetry", "RetryLine", "attempt_text"]

_ERASE = "\r\x1b[K"


def attempt_text(retry: RetryScheduled, left: float) -> str:
    """Which attempt comes next, and in how many seconds: `attempt 2 of 4 in 12 s`."""
    which = f"attempt {retry.attempt + 1}" + (f" of {retry.attempts}" if retry.attempts else "")
    return f"{which} in {math.ceil(left)} s" if left > 0 else which


class PendingRetry(NamedTuple):
    """A retry in the live view: what was scheduled, and the time of that record."""

    retry: RetryScheduled
    scheduled: str

    def text(self, at: str, since: float) -> Text:
        """The seconds that are left, `since` seconds after the record of the time `at`."""
        from rich.text import Text

        from .timeline import seconds_between

        left = self.retry.delay - seconds_between(self.scheduled, at) - since
        words = attempt_text(self.retry, left)
        return Text(f"{words[0].upper()}{words[1:]}{' · Ctrl-C stops' if left > 0 else ''}", style="asst.notice")


class RetryLine:
    """Writes one line on stderr for each retry. `counts`: the line counts the seconds down until the next attempt."""

    def __init__(self, stderr: TextIO, *, counts: bool) -> None:
        self._stderr, self._counts = stderr, counts
        self._retry: RetryScheduled | None = None
        self._until = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def __call__(self, record: Record) -> None:
        """Start with a retry; end with any other record."""
        self.close()
        if isinstance(record.event, RetryScheduled):
            self._retry = record.event
            if self._counts:
                self._until = asyncio.get_running_loop().time() + record.event.delay
                self._tick()
            else:
                self.close()

    def close(self) -> None:
        """The wait is over: the line stays as it was at first."""
        if self._timer is not None:
            self._timer.cancel()
        retry, self._retry, self._timer = self._retry, None, None
        if retry is not None:
            self._stderr.write((_ERASE if self._counts else "") + _line(retry, retry.delay) + "\n")
            self._stderr.flush()

    def _tick(self) -> None:
        if self._retry is None:
            return
        loop = asyncio.get_running_loop()
        left = self._until - loop.time()
        if left <= 0:
            self.close()
            return
        self._stderr.write(_ERASE + _fit(_line(self._retry, left), self._stderr))
        self._stderr.flush()
        self._timer = loop.call_later(left - math.ceil(left) + 1, self._tick)


def _line(retry: RetryScheduled, left: float) -> str:
    return f"asst: {attempt_text(retry, left)}: {clean_line(retry.message)}"


def _fit(line: str, terminal: TextIO) -> str:
    from .truncate import truncate  # only now: an answer without a retry needs no Rich

    with contextlib.suppress(OSError, ValueError):
        return truncate(line, os.get_terminal_size(terminal.fileno()).columns - 1)
    return line
