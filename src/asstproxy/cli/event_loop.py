"""The one place where an event loop runs, where signals arrive, and where the terminal's modes are changed and restored."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from ..core.errors import OutputError, OutputStalledError
from ..core.redact import redact, redact_logs
from ..text.safe_text import clean
from .exit_codes import HUNG_UP, INTERRUPTED, TERMINATED, TIMED_OUT
from .standard_streams import StopReason, set_stop_check

__all__ = ["Signals", "default_suspend", "normal_keyboard", "quiet_keyboard", "run", "suspendable"]

_TWICE_WITHIN = 2.0
"""Seconds in which a second Ctrl-C stops at once."""


_CODES = {"SIGINT": INTERRUPTED, "SIGTERM": TERMINATED, "SIGHUP": HUNG_UP}
"""By name: Windows has no SIGHUP."""


class Signals:
    """Ctrl-C, SIGTERM and SIGHUP: they call `on_signal`, else cancel the whole command.

    `code` is the exit code of the signal that arrived, 0 while none has. `deadline`: when, by `time.monotonic()`, to stop
    waiting for a reader of our output. `graceful`: how many Ctrl-C `on_signal` gets before another one, soon after, ends the
    process at once.
    """

    def __init__(self, main: asyncio.Task[Any]) -> None:
        self.code = 0
        self.deadline: float | None = None
        self.graceful = 1
        self._pressed = 0  # Ctrl-C, since `on_signal` was set
        self._arrived = 0
        self._on_signal: Callable[[bool], None] | None = None
        self._main = main
        self._last = -_TWICE_WITHIN
        self._restore_terminal = _terminal_restorer()

    @property
    def on_signal(self) -> Callable[[bool], None] | None:
        """Called on a signal, with False for Ctrl-C and True for the others. None: the command is cancelled."""
        return self._on_signal

    @on_signal.setter
    def on_signal(self, callback: Callable[[bool], None] | None) -> None:
        self._on_signal = callback
        if callback is not None:
            self._arrived = 0  # an earlier one was for earlier work
        self._last = -_TWICE_WITHIN  # a second Ctrl-C is a second one for the same work
        self.graceful, self._pressed = 1, 0

    @property
    def is_terminated(self) -> bool:
        """Whether a signal arrived that ends the process: SIGTERM or SIGHUP."""
        return self.code in (TERMINATED, HUNG_UP)

    def note(self, number: int) -> None:
        """Note that a signal arrived, at once: the loop may be waiting for a reader of our output."""
        self._arrived = number

    def why_stop(self) -> StopReason:
        """Why to stop waiting for a reader of our output; empty: go on waiting."""
        if self._arrived:
            self.code = _CODES[signal.Signals(self._arrived).name]
            return "terminated" if self.is_terminated else "user"
        return "timeout" if self.deadline is not None and time.monotonic() > self.deadline else ""

    def handle(self, number: int) -> None:
        """Handle a signal that arrived."""
        self.code = _CODES[signal.Signals(number).name]
        terminated = self.is_terminated
        now = time.monotonic()
        self._pressed += not terminated
        if not terminated and self._pressed > self.graceful and now - self._last < _TWICE_WITHIN:
            self._restore_terminal()
            os._exit(INTERRUPTED)  # the session file is written line by line: there is nothing left to save
        self._last = now
        if self.on_signal is None:
            self._main.cancel()
        else:
            self.on_signal(terminated)


class _SafeFormatter(logging.Formatter):
    """A library's log line may quote a server, and without logging set up it is printed on the terminal."""

    def format(self, record: logging.LogRecord) -> str:
        return clean(super().format(record))


def run(command: Callable[[Signals], Coroutine[Any, Any, int]]) -> int:
    """Run a command; returns its exit code, or that of the signal that cancelled it."""
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(_SafeFormatter())
    redact_logs(["asyncio"])
    threading.excepthook = _print_thread_error
    code = asyncio.run(_run(command))
    tools = sys.modules.get("asstproxy.tools")
    if tools is not None and tools.abandoned_count():
        # Python would wait for threads that a tool has started. The session is closed, and everything is printed.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code


def _print_thread_error(failed: threading.ExceptHookArgs) -> None:
    """Print the exception that ended a thread of a tool or a library."""
    if failed.exc_value is not None:
        sys.stderr.write(clean(redact("".join(traceback.format_exception(failed.exc_value)))))


async def _run(command: Callable[[Signals], Coroutine[Any, Any, int]]) -> int:
    main = asyncio.current_task()
    assert main is not None  # noqa: S101 - this code runs in it
    signals = Signals(main)
    set_stop_check(signals.why_stop)
    try:
        with _received(signals):
            code = await command(signals)
            await asyncio.sleep(0)  # a signal may have arrived while stderr was not read
            return code
    except asyncio.CancelledError:
        if not signals.code:
            raise
        main.uncancel()
        return signals.code
    except OutputStalledError:
        return signals.code or TIMED_OUT
    except OutputError:
        if signals.why_stop() == "terminated" or signals.is_terminated:  # the terminal was closed: SIGHUP says so, too
            return signals.code
        raise
    finally:
        set_stop_check(None)


@contextlib.contextmanager
def _received(signals: Signals) -> Iterator[None]:
    """Receive signals, except those that are ignored: the parent process wants that (`nohup`).

    Not `loop.add_signal_handler`: its handlers run in the loop, and a reader that stalls may have stopped that.
    """
    loop = asyncio.get_running_loop()
    before: dict[signal.Signals, Any] = {}

    def receive(number: int, _: object) -> None:
        signals.note(number)
        loop.call_soon_threadsafe(signals.handle, number)

    if sys.platform != "win32":  # there Ctrl-C raises KeyboardInterrupt
        for name in _CODES:
            number = signal.Signals[name]
            if signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, receive)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


# ---- the terminal ------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def quiet_keyboard() -> Iterator[None]:
    """Switch the terminal's echo and line mode off while something is drawn; restored at the end, whatever happens.

    What is typed meanwhile is not echoed into the drawing; the next prompt of the chat or of the shell receives it.
    """
    fd = _own_terminal()
    if sys.platform == "win32" or fd is None:
        yield
        return
    import termios

    before = termios.tcgetattr(fd)
    _switch_echo(fd, on=False)
    try:
        yield
    finally:
        with contextlib.suppress(termios.error):  # the terminal is gone
            termios.tcsetattr(fd, termios.TCSADRAIN, before)


@contextlib.contextmanager
def normal_keyboard() -> Iterator[None]:
    """Within `quiet_keyboard`, have the terminal as other programs expect it: with echo and line mode."""
    fd = _own_terminal()
    if fd is None:
        yield
        return
    _switch_echo(fd, on=True)
    try:
        yield
    finally:
        _switch_echo(fd, on=False)


def _own_terminal() -> int | None:
    """The terminal that the keys for this process come from; None without one, and in a background job."""
    if sys.platform == "win32":  # has no such modes
        return None
    for stream in (sys.stdin, sys.stdout):
        with contextlib.suppress(OSError, ValueError, AttributeError):  # closed, missing, or not a terminal
            if stream.isatty() and os.tcgetpgrp(stream.fileno()) == os.getpgrp():
                return stream.fileno()
    return None


def _switch_echo(fd: int, *, on: bool) -> None:
    if sys.platform == "win32":  # has no such modes
        return
    import termios

    with contextlib.suppress(termios.error):  # the terminal is gone
        modes = termios.tcgetattr(fd)
        quiet = termios.ECHO | termios.ICANON  # without line mode, Ctrl-D typed now counts at the prompt
        modes[3] = modes[3] | quiet if on else modes[3] & ~quiet
        termios.tcsetattr(fd, termios.TCSADRAIN, modes)


@contextlib.contextmanager
def suspendable(paused: Callable[[], contextlib.AbstractContextManager[None]]) -> Iterator[None]:
    """Let Ctrl-Z suspend a drawing: `paused` takes what moves from the screen meanwhile, and `fg` draws it below.

    A question leaves Ctrl-Z to its prompt, see `default_suspend`.
    """
    if sys.platform == "win32" or signal.getsignal(signal.SIGTSTP) is signal.SIG_IGN:
        yield
        return
    loop = asyncio.get_running_loop()

    def suspend() -> None:
        fd = _own_terminal()
        with paused(), default_suspend():
            if fd is not None:
                _switch_echo(fd, on=True)
            os.kill(os.getpid(), signal.SIGTSTP)  # it stops here, until SIGCONT
            if (fd := _own_terminal()) is not None:
                _switch_echo(fd, on=False)

    before = signal.signal(signal.SIGTSTP, lambda _number, _frame: loop.call_soon_threadsafe(suspend))
    try:
        yield
    finally:
        signal.signal(signal.SIGTSTP, before)


@contextlib.contextmanager
def default_suspend() -> Iterator[None]:
    """Let SIGTSTP stop the process at once: a prompt that is shown clears up for itself."""
    if sys.platform == "win32" or signal.getsignal(signal.SIGTSTP) is signal.SIG_IGN:
        yield
        return
    before = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGTSTP, before)


def _terminal_restorer() -> Callable[[], None]:
    """A function that restores the terminal's present modes and its cursor, for a process that ends at once."""
    modes: list[tuple[int, list[Any]]] = []
    if sys.platform != "win32":
        with contextlib.suppress(Exception):  # not a terminal; `termios.error` isn't an OSError
            import termios

            fd = sys.stdin.fileno()
            modes.append((fd, termios.tcgetattr(fd)))

    def restore() -> None:
        with contextlib.suppress(Exception):  # nothing may keep the process from ending
            if sys.platform != "win32":
                for fd, before in modes:
                    termios.tcsetattr(fd, termios.TCSANOW, before)
            if sys.stdout.isatty():
                os.write(sys.stdout.fileno(), b"\x1b[?25h\r\n")

    return restore
