"""The terminal: silent between two prompts, and as it was before when asst ends, however it ends."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["as_it_was", "quiet_keyboard"]


@contextlib.contextmanager
def quiet_keyboard() -> Iterator[None]:
    """Switch the terminal's echo and its lines off, for a whole chat; on again at the end, whatever happens.

    What is typed between two prompts is not echoed into the answer, and stands at the next prompt.
    """
    if sys.platform == "win32":  # it has no such modes
        yield
        return
    try:
        import termios

        fd = sys.stdin.fileno()
        before = termios.tcgetattr(fd)
    except (OSError, ValueError, AttributeError):  # no terminal
        yield
        return
    silent = list(before)
    silent[3] &= ~(termios.ECHO | termios.ICANON)  # not by lines: Ctrl-D typed now counts at the prompt
    termios.tcsetattr(fd, termios.TCSADRAIN, silent)
    try:
        yield
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)


def as_it_was() -> Callable[[], None]:
    """What gives the terminal back as it is now, with a cursor: for a process that ends without tidying up."""
    modes: list[tuple[int, list[Any]]] = []
    if sys.platform != "win32":
        with contextlib.suppress(Exception):  # no terminal; `termios.error` is no OSError
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
