"""Captures what tools print: standard output is the assistant's answer and nothing else.

`contextlib.redirect_stdout` won't do: it replaces `sys.stdout` for the whole program, while several tools run at once, in threads
and in tasks, next to the view that prints the answer. So a proxy replaces `sys.stdout` and `sys.stderr`; a context variable,
which the thread or task of a tool carries with it, says whose text it is. The proxy is installed while tools run, and as long as
an abandoned one may still print.

Two things carry no context: threads that a tool starts itself, and child processes, which write to file descriptor 1.
A program whose standard output *is* the answer calls `reserve_stdout` once, which keeps both out of it.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, TextIO, cast

from ..config.child_processes import close_in_children
from ..core.redact import hide_cut_end, redact

__all__ = ["CapturedOutput", "capture_output", "reserve_stdout"]

MAX_CHARS = 16 * 1024
"""Characters that are kept of the output of one call."""


SPARE = 2048
"""Characters after those: a key that stands across the limit is recognized, and hidden, before the text is cut."""


class CapturedOutput:
    """What one call printed, up to `MAX_CHARS`. Once closed, it takes no more."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._room = MAX_CHARS + SPARE
        self._open = True

    def write(self, text: str) -> None:
        """Add a piece."""
        if self._open and self._room > 0:
            piece = text[: self._room]
            self._room -= len(piece)
            self._pieces.append(piece)

    def close(self) -> str:
        """Take no more; returns what was printed so far, redacted before it is cut."""
        self._open = False
        text = hide_cut_end(redact("".join(self._pieces)))
        return text if len(text) <= MAX_CHARS else f"{text[:MAX_CHARS]}…"


_printed: ContextVar[CapturedOutput | None] = ContextVar("asst_printed", default=None)
_lock = threading.Lock()
_holders = 0


class _StreamProxy:
    """Replaces a standard stream: a tool's text goes to its `CapturedOutput`, all other text to the stream."""

    def __init__(self, stream: Any, *, owner: int | None = None, others: Any = None) -> None:
        self._stream, self._owner, self._others = stream, owner, others

    def _real(self) -> Any:
        return self._stream if self._owner in (None, threading.get_ident()) else self._others

    def write(self, text: str) -> int:
        printed = _printed.get()
        if printed is None:
            return int(self._real().write(text))
        printed.write(text)
        return len(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        if _printed.get() is None:
            self._real().flush()

    def isatty(self) -> bool:
        return _printed.get() is None and bool(self._real().isatty())

    def fileno(self) -> int:
        if _printed.get() is not None:
            raise io.UnsupportedOperation("fileno")
        return int(self._real().fileno())

    @property
    def buffer(self) -> Any:
        printed = _printed.get()
        return self._real().buffer if printed is None else _Bytes(printed)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real(), name)


class _Bytes(io.RawIOBase):
    """The `buffer` of a tool's standard streams."""

    def __init__(self, printed: CapturedOutput) -> None:
        super().__init__()
        self._printed = printed

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._printed.write(bytes(data).decode("utf-8", "replace"))
        return len(data)


@contextlib.contextmanager
def capture_output(printed: CapturedOutput) -> Iterator[None]:
    """Capture what is printed in this context (thread or task) and in those that copy it."""
    token = _printed.set(printed)
    try:
        yield
    finally:
        _printed.reset(token)


def install_capture() -> None:
    """Replace the standard streams until `uninstall_capture` has been called as often."""
    global _holders  # noqa: PLW0603 - there is one standard output
    with _lock:
        _holders += 1
        for name in ("stdout", "stderr"):
            stream = getattr(sys, name)
            if stream is not None and not isinstance(stream, _StreamProxy):
                setattr(sys, name, _StreamProxy(stream))


def uninstall_capture() -> None:
    """Undo one `install_capture`."""
    global _holders  # noqa: PLW0603 - there is one standard output
    with _lock:
        _holders -= 1
        for name in ("stdout", "stderr"):
            stream = getattr(sys, name)
            if _holders == 0 and isinstance(stream, _StreamProxy) and stream._owner is None:  # noqa: SLF001 - our own
                setattr(sys, name, stream._stream)  # noqa: SLF001 - our own


def reserve_stdout(open_stream: Callable[[int], TextIO] | None = None) -> TextIO:
    """Reserve standard output for the caller, who writes the answer to the returned stream; call it once, at the start.

    `open_stream` makes a stream of a file descriptor, which is its own from then on.

    From then on, file descriptor 1, which child processes inherit, leads to standard error, and so does what any other thread
    prints. In the calling thread, `sys.stdout` is the returned stream.
    """
    sys.stdout.flush()
    if open_stream is None:
        answer: TextIO = os.fdopen(_duplicate_stdout(), "w", encoding=sys.stdout.encoding, errors=sys.stdout.errors)
    else:
        answer = open_stream(_duplicate_stdout())
    os.dup2(2, 1)
    sys.stdout = cast("TextIO", _StreamProxy(answer, owner=threading.get_ident(), others=sys.stderr))
    return answer


def _duplicate_stdout() -> int:
    """A copy of standard output, which no daemon of a tool keeps open: the reader of our output waits for its end."""
    fd = os.dup(1)
    close_in_children(fd)
    return fd
