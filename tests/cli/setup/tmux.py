"""A person at a terminal, in tmux: what is typed and what is seen."""

from __future__ import annotations

import itertools
import os
import shlex
import subprocess
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

__all__ = ["Tmux"]

_numbers = itertools.count()


class Tmux:
    """Runs a command in a window of its own server while the `with` block lasts."""

    def __init__(self, command: Sequence[str], columns: int = 100, rows: int = 60) -> None:
        self._socket = f"asst-test-{os.getpid()}-{next(_numbers)}"
        line = f"trap : INT; {shlex.join(command)}; echo [exit $?]; exec sleep 600"
        size = ["-x", str(columns), "-y", str(rows)]
        self._tmux("-f", "/dev/null", "new-session", "-d", *size, "-s", "test", "sh", "-c", line)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tmux("kill-server")

    @property
    def text(self) -> str:
        """The screen and what has scrolled off it."""
        lines = self._tmux("capture-pane", "-p", "-J", "-t", "test", "-S", "-").splitlines()
        return "\n".join(line.rstrip() for line in lines).rstrip()

    def type(self, text: str, enter: bool = True) -> None:
        """Type a line."""
        if text:
            self._tmux("send-keys", "-t", "test", "-l", "--", text)
        if enter:
            self._tmux("send-keys", "-t", "test", "Enter")

    def enter(self, line: str, within: float = 20.0) -> None:
        """Type a line at the chat's prompt, once it stands there empty: what is typed before that becomes a draft."""
        deadline = time.monotonic() + within
        before = self.text
        while not self._at_prompt() or self.text != before:
            before = self.text
            assert time.monotonic() < deadline, f"no prompt within {within} s on:\n{before}"
            time.sleep(0.03)
        self.type(line)
        shown = f"› {line}"[:60]
        while (
            self._at_prompt() and (text := self.text).count(shown) <= before.count(shown) and text[:20] == before[:20]
        ):
            assert time.monotonic() < deadline, f"nothing happened within {within} s on:\n{before}"
            time.sleep(0.03)

    def press(self, key: str) -> None:
        """Press a key: `C-c`, `C-d`, `Up`."""
        self._tmux("send-keys", "-t", "test", key)

    def wait_for(self, wanted: str, times: int = 1, within: float = 20.0) -> str:
        """The text once it holds `wanted` so many times."""
        deadline = time.monotonic() + within
        while (text := self.text).count(wanted) < times:
            assert time.monotonic() < deadline, f"no {wanted!r} within {within} s on:\n{text}"
            time.sleep(0.03)
        return text

    def wait_end(self, code: int, within: float = 20.0) -> str:
        """The text once the command has ended with this code."""
        text = self.wait_for("[exit ", within=within)
        assert f"[exit {code}]" in text, text
        return text

    def _at_prompt(self) -> bool:
        """Whether the cursor's row, above the toolbar, is the empty prompt."""
        row = self._tmux("display-message", "-p", "-t", "test", "#{cursor_y}").strip()
        return self._tmux("capture-pane", "-p", "-t", "test", "-S", row, "-E", row).strip() == "›"

    def _tmux(self, *arguments: str) -> str:
        command = ["tmux", "-L", self._socket, *arguments]
        env = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}  # of readline
        return subprocess.run(command, capture_output=True, text=True, check=True, env=env).stdout
