"""The wait before a retry: as text for the live view, and as a line on stderr without one."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
from typing import TextIO

from ...core.events import Record, RetryScheduled
from ...text.figures import duration, seconds_between
from ...text.safe_text import clean_line

__all__ = ["Retries", "RetryLine", "fit_line"]

_ERASE = "\r\x1b[K"


def attempt_text(retry: RetryScheduled, left: float) -> str:
    """When it is tried again, which try that is, and what failed: `Trying again in 3 s · try 3 of 4: …`.

    The figures come first: the message may be cut.
    """
    when = f"Trying again in {math.ceil(left)} s" if left > 0 else "Trying again"
    which = f"try {retry.attempt + 1}" + (f" of {retry.attempts}" if retry.attempts else "")
    return f"{when} · {which}: {clean_line(retry.message)}"


class Retries:
    """The retries of one request: the wait for the next try, and the line that remains of them all."""

    def __init__(self, began: str) -> None:
        self.count = 0
        self._began = began  # when the request was made
        self._latest: tuple[RetryScheduled, str] | None = None
        self._waits = False

    def add(self, retry: RetryScheduled, at: str) -> None:
        """The request failed, and will be made again."""
        self.count += 1
        self._latest, self._waits = (retry, at), True

    def resume(self) -> None:
        """Something came: the wait is over."""
        self._waits = False

    def countdown(self, at: str, since: float) -> str:
        """What is waited for, `since` seconds after the record of the time `at`; empty when nothing is."""
        if self._latest is None or not self._waits:
            return ""
        retry, scheduled = self._latest
        return attempt_text(retry, retry.delay - seconds_between(scheduled, at) - since)

    def close(self) -> str:
        """`Tried 3 times: OpenAI is busy (429) · 4.1 s lost`; empty if no more than a second was lost."""
        latest, self._latest = self._latest, None
        if latest is None:
            return ""
        retry, scheduled = latest
        lost = seconds_between(self._began, scheduled) + retry.delay
        message = clean_line(retry.message).rstrip(".")
        return f"Tried {retry.attempt + 1} times: {message} · {duration(lost)} lost" if lost > 1 else ""


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
        self._stderr.write(_ERASE + fit_line(_line(self._retry, left), self._stderr))
        self._stderr.flush()
        self._timer = loop.call_later(left - math.ceil(left) + 1, self._tick)


def _line(retry: RetryScheduled, left: float) -> str:
    return f"asst: {attempt_text(retry, left)}"


def fit_line(line: str, terminal: TextIO) -> str:
    """The line, cut to the width of the terminal."""
    from .truncate import truncate  # only now: an answer without a retry needs no Rich

    with contextlib.suppress(OSError, ValueError):
        return truncate(line, os.get_terminal_size(terminal.fileno()).columns - 1)
    return line
