"""The keyboard between two prompts: what is typed meanwhile is not echoed into the answer, and stands at the next prompt."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

__all__ = ["quiet_keyboard"]


@contextlib.contextmanager
def quiet_keyboard() -> Iterator[None]:
    """Switch the terminal's echo and its lines off, for a whole chat; on again at the end, whatever happens."""
    try:
        import termios

        fd = sys.stdin.fileno()
        before = termios.tcgetattr(fd)
    except (ImportError, OSError, ValueError, AttributeError):  # no terminal, or none of this kind
        yield
        return
    silent = list(before)
    silent[3] &= ~(termios.ECHO | termios.ICANON)  # not by lines: Ctrl-D typed now counts at the prompt
    termios.tcsetattr(fd, termios.TCSADRAIN, silent)
    try:
        yield
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)
