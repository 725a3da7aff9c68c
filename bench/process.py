"""Runs a program once, into a pipe or in a terminal, and tells what that cost."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import struct
import subprocess
import tempfile
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TypeVar

__all__ = ["COLUMNS", "ROWS", "Program", "Ran", "interleaved", "middle", "run"]

COLUMNS, ROWS = 80, 24
T = TypeVar("T")
CURSOR_QUESTION, CURSOR_ANSWER = b"\x1b[6n", b"\x1b[1;1R"


@dataclass(frozen=True)
class Program:
    """A command line and where it runs. `tty`: in a terminal; `until`: it is ready when it has printed this, and is ended."""

    argv: Sequence[str]
    env: Mapping[str, str]
    tty: bool = False
    until: str = ""


@dataclass(frozen=True)
class Ran:
    """What a run gave. Times are in seconds from the start; `rss` is the peak in MiB; `began` in ns of the monotonic clock."""

    wall: float
    first: float
    reading: float  # from the first byte to the end
    cpu: float
    rss: float
    began: int
    out: bytes


def run(program: Program) -> Ran:
    """Run a program to its end, or until it is ready.

    Raises:
        RuntimeError: it failed; with the end of what it said.
    """
    with tempfile.TemporaryFile() as errors:
        reader, writer = _terminal() if program.tty else os.pipe()
        began = time.monotonic_ns()
        process = subprocess.Popen(
            list(program.argv),
            stdin=writer if program.tty else subprocess.DEVNULL,
            stdout=writer,
            stderr=writer if program.tty else errors,
            env=dict(program.env),
            start_new_session=program.tty,
        )
        os.close(writer)
        out, first, ready = _read(reader, program.until.encode())
        if program.until:
            os.kill(process.pid, signal.SIGKILL)
        _, status, usage = os.wait4(process.pid, 0)
        ended = time.monotonic_ns()
        os.close(reader)
        process.returncode = os.waitstatus_to_exitcode(status)  # so that Popen does not wait for it once more
        if not ready or (process.returncode and not program.until):
            errors.seek(0)
            said = (errors.read() + out)[-2000:].decode(errors="replace")
            raise RuntimeError(f"{' '.join(program.argv)} ended with {process.returncode}:\n{said}")
    wall = (first if program.until else ended) - began
    return Ran(
        wall=wall / 1e9,
        first=(first - began) / 1e9 if first else 0.0,
        reading=(ended - first) / 1e9 if first else 0.0,
        cpu=usage.ru_utime + usage.ru_stime,
        rss=usage.ru_maxrss / 1024,
        began=began,
        out=out,
    )


def _terminal() -> tuple[int, int]:
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    return ours, theirs


def _read(fd: int, until: bytes) -> tuple[bytes, int, bool]:
    """Everything that is printed; when the first byte came (or the one that was waited for), and whether it did."""
    out, first = bytearray(), 0
    deadline = time.monotonic() + 900
    with contextlib.suppress(OSError):  # a terminal that is closed
        while time.monotonic() < deadline:
            if not select.select([fd], [], [], 1.0)[0]:
                continue
            data = os.read(fd, 1 << 16)
            if not data:
                break
            if CURSOR_QUESTION in data:
                os.write(fd, CURSOR_ANSWER)
            out += data
            if not until:
                first = first or time.monotonic_ns()
            elif until in out:
                return bytes(out), time.monotonic_ns(), True
    return bytes(out), first, not until


def interleaved(contestants: Mapping[str, Callable[[], T]], runs: int) -> dict[str, list[T]]:
    """Let everybody run in turn, so many times: what slows the machine down for a while slows all of them down.

    A first round warms up the disk's cache and is not counted.
    """
    names = list(contestants)
    results: dict[str, list[T]] = {name: [] for name in names}
    for number in range(-1, runs):
        turn = number % len(names)
        for name in [*names[turn:], *names[:turn]]:
            result = contestants[name]()
            if number >= 0:
                results[name].append(result)
    return results


def middle(values: Sequence[Ran], of: Callable[[Ran], float]) -> float:
    """The median of one figure."""
    return median(of(value) for value in values)
