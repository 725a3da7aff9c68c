"""What is waited for, as one line on stderr, while the answer goes into a pipe or a file."""

from __future__ import annotations

import asyncio
import time
from typing import TextIO

from ...core.events import ActionRequired, Heartbeat, Reasoning, Record, RetryScheduled, ToolFinished
from ...core.script import ACTIVE, State
from ...text.safe_text import clean_line

__all__ = ["WaitingLine"]

_ERASE = "\r\x1b[K"
_DELAY = 0.5
"""Seconds of silence after which the line appears."""
_TICK = 1.0


class WaitingLine:
    """Follows an exchange. The line is gone before anything else is written: it must be the first to get a record."""

    def __init__(self, stderr: TextIO, name: str, model: str) -> None:
        self._stderr, self._name, self._model = stderr, clean_line(name), clean_line(model)
        self._state = State.NEW
        self._entered = time.monotonic()
        self._status = ""
        self._thinks = False
        self._calls = self._done = 0
        self._shown = ""
        self._timer: asyncio.TimerHandle | None = None

    def __call__(self, record: Record) -> None:
        """Follow the next record."""
        if record.state is not self._state:
            self._state, self._entered = record.state, time.monotonic()
            self._thinks = False
        match record.event:
            case Heartbeat(status=str() as status):
                self._status = clean_line(status)
            case Reasoning():
                self._thinks, self._status = True, ""
            case ActionRequired(calls=calls):
                self._calls, self._done, self._status = len(calls), 0, ""
            case ToolFinished():
                self._done += 1
            case _:
                pass
        # A question, an answer and the countdown of a retry have the terminal for themselves.
        busy = isinstance(record.event, RetryScheduled) or self._state in (State.STREAMING, State.AWAITING_APPROVAL)
        if busy or self._state not in ACTIVE:
            self.close()
        elif self._shown:
            self._show()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_DELAY, self._show)

    def clear(self) -> None:
        """Take the line away; it comes back."""
        if self._shown:
            self._stderr.write(_ERASE)
            self._stderr.flush()
            self._shown = ""

    def close(self) -> None:
        """Take the line away."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.clear()

    def _show(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        from .phase_text import Phase  # late: most answers come sooner
        from .retry_countdown import fit_line

        seconds = time.monotonic() - self._entered
        words = Phase(
            self._state, self._name, self._model, self._status, seconds, self._thinks, self._calls, self._done
        ).words
        if words and words != self._shown:
            self._stderr.write(f"{_ERASE}{fit_line(f'{words} …', self._stderr)}")
            self._stderr.flush()
            self._shown = words
        self._timer = asyncio.get_running_loop().call_later(_TICK, self._show)
