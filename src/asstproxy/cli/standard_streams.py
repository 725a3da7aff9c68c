"""The standard streams of the command: what can't be written is an error that ends it, and every wait can be interrupted.

Python's own streams fail us in three ways. A failed write raises an OSError, which typer and libraries confuse with errors of
other files. A write to a reader that stalls blocks the event loop: no signal and no timeout gets through. And a closed stream is
None. So `open_streams` replaces them.
"""

from __future__ import annotations

import errno
import io
import os
import select
import stat
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, TextIO

from ..core.errors import OutputClosedError, OutputError, OutputStalledError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

__all__ = [
    "StopReason",
    "open_stdout",
    "open_streams",
    "output_failure",
    "require_stdout",
    "set_stop_check",
    "write_json",
]

_POLL = 0.1
"""Seconds between two looks at whether the command was stopped, while the reader stalls."""
_PIECE = 4096
"""Bytes that a pipe which can be written takes without blocking (PIPE_BUF)."""

StopReason = Literal["", "user", "timeout", "terminated"]
"""Why to stop waiting for a reader that stalls; empty: go on waiting."""

_failure: OutputError | None = None


def _never() -> StopReason:
    return ""


_stop_check: Callable[[], StopReason] = _never


class _Output(io.FileIO):
    """Where stdout or stderr goes. After a failure it takes everything and writes nothing, so that Python can end.

    Stdout raises; stderr doesn't, since messages that nobody can read decide nothing.
    """

    def __init__(self, fd: int, *, is_essential: bool, is_owned: bool = False) -> None:
        super().__init__(fd, "w", closefd=is_owned)
        self._is_essential, self._is_broken = is_essential, False
        kind = os.fstat(fd).st_mode
        self._may_stall = stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind) or stat.S_ISCHR(kind)

    def write(self, data: ReadableBuffer, /) -> int:
        """Write a part of the data.

        Raises:
            OutputError: it can't be written, or nobody read it until the command was stopped.
        """
        if self._is_broken:
            return memoryview(data).nbytes
        try:
            return self._write(memoryview(data).cast("B"))
        except OSError as error:
            self._is_broken = True
            if self._is_essential:
                raise _remember(_error_of(error)) from error
        except OutputStalledError as error:
            self._is_broken = True
            if self._is_essential:
                raise _remember(error) from None
        except BaseException:  # Ctrl-C: what is still to be written would wait for the same reader
            self._is_broken = True
            raise
        return memoryview(data).nbytes

    def _write(self, data: memoryview) -> int:
        if not self._may_stall:
            return os.write(self.fileno(), data)
        while True:
            while not select.select([], [self.fileno()], [], _POLL)[1]:
                if reason := _stop_check():
                    raise OutputStalledError("Nobody reads the output.", reason=reason)
            try:
                return os.write(self.fileno(), data[:_PIECE])
            except BlockingIOError:  # another process has made our terminal or pipe non-blocking
                continue


def _remember(error: OutputError) -> OutputError:
    global _failure  # noqa: PLW0603 - there is one standard output
    _failure = _failure or error
    return error


def _error_of(error: OSError) -> OutputError:
    if error.errno == errno.EPIPE:
        return OutputClosedError("Nothing reads the output any longer.")
    if error.errno == errno.EBADF:
        return OutputError("Standard output is closed.", "Redirect it: >/dev/null")
    return OutputError(f"Standard output can't be written: {error.strerror}.")


def output_failure() -> OutputError | None:
    """Why standard output could not be written, if it could not."""
    return _failure


def set_stop_check(check: Callable[[], StopReason] | None) -> None:
    """Let `check` say, while a reader stalls, whether to stop waiting for it."""
    global _stop_check  # noqa: PLW0603 - there is one standard output
    _stop_check = check or _never


def open_streams() -> None:
    r"""Replace the standard streams of this process.

    A closed one is opened: stdin is empty, stderr goes nowhere, and stdout fails when something is written. A character that the
    encoding lacks is escaped (`\u2192`).
    """
    if sys.platform == "win32":  # has none of these errors, and its console isn't a file
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        return
    # In this order: `open` takes the lowest number that is free. Stdout is opened for reading, so that writing fails.
    for fd, mode in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(fd)
        except OSError:
            os.set_inheritable(os.open(os.devnull, mode), True)
    if sys.stdin is None:
        sys.stdin = open(0, closefd=False)  # noqa: SIM115 - as long as the process
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    sys.stdout = open_stdout(1, like=sys.stdout)
    sys.stderr = _text(_Output(2, is_essential=False), like=sys.stderr, line_buffering=True)


def open_stdout(fd: int, like: TextIO | None = None, *, is_owned: bool = False) -> TextIO:
    """A text stream that writes to this descriptor of standard output, and closes it at its end if it `is_owned`."""
    return _text(_Output(fd, is_essential=True, is_owned=is_owned), like=like, line_buffering=os.isatty(fd))


def _text(raw: _Output, *, like: TextIO | None, line_buffering: bool) -> TextIO:
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=like.encoding if like is not None else "utf-8",
        errors="backslashreplace",
        newline="\n",
        line_buffering=line_buffering,
        write_through=bool(getattr(like, "write_through", False)),
    )


def require_stdout() -> None:
    """Check that an answer could go somewhere, before a question is asked.

    Raises:
        OutputError: standard output is closed.
        OutputClosedError: its reader is gone.
    """
    if sys.platform == "win32":
        return
    try:
        os.write(sys.stdout.fileno(), b"")
    except OSError as error:
        raise _remember(_error_of(error)) from error
    poll = select.poll()
    poll.register(sys.stdout.fileno(), select.POLLOUT)
    if any(events & select.POLLERR for _, events in poll.poll(0)):
        raise _remember(OutputClosedError("Nothing reads the output any longer."))


def write_json(data: bytes, stream: TextIO | None = None) -> None:
    """Print JSON. Where stdout isn't UTF-8, its other characters are escaped as JSON has it."""
    stream = stream or sys.stdout
    if not data.isascii() and (stream.encoding or "utf-8").lower().replace("-", "") != "utf8":
        from ..core.codec import ascii_json

        data = ascii_json(data)
    stream.write(data.decode())
