"""The one place where an event loop runs, and where signals arrive."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Coroutine
from typing import Any

from ..core.redact import redact, redact_logs
from .exit_codes import INTERRUPTED, TERMINATED
from .render.safe_text import clean
from .terminal import as_it_was

__all__ = ["Signals", "run"]

TWICE_WITHIN = 2.0
"""Seconds in which a second Ctrl-C stops at once."""


class Signals:
    """What Ctrl-C and SIGTERM do: they cancel what `on_signal` names, else the whole command.

    `code` is the exit code of the signal that came, 0 while none has.
    """

    def __init__(self, main: asyncio.Task[Any]) -> None:
        self.code = 0
        self._on_signal: Callable[[bool], None] | None = None
        self._main = main
        self._last = -TWICE_WITHIN
        self._give_back = as_it_was()

    @property
    def on_signal(self) -> Callable[[bool], None] | None:
        """What a signal cancels, and whether it was SIGTERM; None: the command."""
        return self._on_signal

    @on_signal.setter
    def on_signal(self, what: Callable[[bool], None] | None) -> None:
        self._on_signal = what
        self._last = -TWICE_WITHIN  # a second Ctrl-C is one for the same thing

    def arrive(self, number: int) -> None:
        """Take a signal."""
        terminated = number == signal.SIGTERM
        self.code = TERMINATED if terminated else INTERRUPTED
        now = time.monotonic()
        if not terminated and now - self._last < TWICE_WITHIN:
            self._give_back()
            os._exit(INTERRUPTED)  # the journal is written line by line: there is nothing left to save
        self._last = now
        if self.on_signal is None:
            self._main.cancel()
        else:
            self.on_signal(terminated)


class _Harmless(logging.Formatter):
    """What a library logs may quote a server; and where nobody set up logging, it goes to the terminal."""

    def format(self, record: logging.LogRecord) -> str:
        return clean(super().format(record))


def run(command: Callable[[Signals], Coroutine[Any, Any, int]]) -> int:
    """Run a command to its exit code; a signal that cancels it decides the code."""
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(_Harmless())
    redact_logs(["asyncio"])
    threading.excepthook = _tell
    code = asyncio.run(_guarded(command))
    tools = sys.modules.get("asstproxy.tools")
    if tools is not None and tools.abandoned_count():
        # Threads that a tool has started itself would be waited for. The journal is closed, and all is printed.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code


def _tell(failed: threading.ExceptHookArgs) -> None:
    """A thread of a tool's, or of a library's, that ended in an exception."""
    if failed.exc_value is not None:
        sys.stderr.write(clean(redact("".join(traceback.format_exception(failed.exc_value)))))


async def _guarded(command: Callable[[Signals], Coroutine[Any, Any, int]]) -> int:
    main = asyncio.current_task()
    assert main is not None  # noqa: S101 - we are in it
    signals = Signals(main)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, signals.arrive, number)
        except NotImplementedError:  # Windows: Ctrl-C raises KeyboardInterrupt instead
            break
    try:
        return await command(signals)
    except asyncio.CancelledError:
        if not signals.code:
            raise
        main.uncancel()
        return signals.code
