"""A server must not outlive asst, however asst ends: a hangup, `kill -9`, a crash.

A shell waits at a pipe that only asst has open, and ends the server's process group when the pipe closes.
`PR_SET_PDEATHSIG` would do it on Linux only, reach only the first process (`npx` and `uvx` start others), need code between fork
and exec in a program with threads, and fire when the thread that started the server ends.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess

__all__ = ["Watchdog"]

_SCRIPT = """
trap '' HUP INT TERM
read -r group || exit
[ "$group" = end ] && exit
read -r end && exit
kill -TERM "-$group" 2>/dev/null
sleep 1
kill -KILL "-$group" 2>/dev/null
"""


class Watchdog:
    """Ends the process group that it is given, unless it is dismissed first. It does nothing where the system has no groups."""

    def __init__(self) -> None:
        self._shell: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start before the server, so that it never runs unwatched for long."""
        shell = shutil.which("sh") if hasattr(os, "killpg") else None
        if shell is not None:
            with contextlib.suppress(OSError):
                self._shell = subprocess.Popen(  # noqa: S603 - our own script
                    [shell, "-c", _SCRIPT],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    cwd="/",
                    env={"PATH": os.defpath},  # our environment has keys
                    start_new_session=True,  # a hangup of the terminal is not for it
                )

    def watch(self, group: int) -> None:
        """Watch this process group."""
        self._write(f"{group}\n")

    def dismiss(self) -> None:
        """The group has ended: stop watching, before another process can get its number.

        Not async, so that a cancellation can't come between; the shell ends within milliseconds.
        """
        self._write("end\n")
        if self._shell is not None and self._shell.stdin is not None:
            with contextlib.suppress(OSError):
                self._shell.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._shell.wait(0.3)

    def _write(self, line: str) -> None:
        if self._shell is not None and self._shell.stdin is not None:
            with contextlib.suppress(OSError, ValueError):  # it was killed, or is closed
                self._shell.stdin.write(line.encode())
                self._shell.stdin.flush()
