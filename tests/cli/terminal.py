"""A terminal for tests: the command in a pseudo-terminal, its screen in an emulator (pyte)."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import IO, Self

import pyte

from forked import asst_command

__all__ = ["Terminal"]


class Terminal:
    """Runs a command on a screen of `columns` × `rows` until it ends or the `with` block does."""

    def __init__(
        self,
        command: Sequence[str],
        columns: int = 80,
        rows: int = 30,
        env: dict[str, str] | None = None,
        stderr: IO[str] | None = None,
    ) -> None:
        self._screen = pyte.HistoryScreen(columns, rows, history=10_000)
        self._stream = pyte.ByteStream(self._screen)
        self.received = b""  # every byte that the command has written
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.process = asst_command.start(
            command,
            on_terminal=True,
            stdin=slave,
            stdout=slave,
            stderr=slave if stderr is None else stderr,
            env={**_without_size(), "TERM": "xterm-256color", **(env or {})},
        )
        os.close(slave)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        with contextlib.suppress(OSError):  # it was closed
            os.close(self._master)

    @property
    def text(self) -> str:
        """The scrollback and the screen, without trailing spaces."""
        width = self._screen.columns
        above = ["".join(line[x].data for x in range(width)).rstrip() for line in self._screen.history.top]
        return "\n".join([*above, *(line.rstrip() for line in self._screen.display)]).rstrip()

    def modes(self) -> list[object]:
        """The terminal's input modes: echo, lines, signals."""
        return list(termios.tcgetattr(self._master)[:4])

    @property
    def cursor_hidden(self) -> bool:
        """Whether the cursor is off."""
        return bool(self._screen.cursor.hidden)

    def type(self, keys: str) -> None:
        r"""Press keys; `\r` is Enter, `\x03` Ctrl-C, `\x04` Ctrl-D."""
        os.write(self._master, keys.encode())

    def enter(self, line: str) -> None:
        """Type a line at the chat's prompt, once it stands there empty: what is typed before that becomes a draft."""
        self.wait_for_prompt()
        shown, first = f"› {line}"[: self._screen.columns - 4], self.text.partition("\n")[0]
        times = self.text.count(shown)
        self.type(f"{line}\r")
        # Not just any change: a toolbar may be drawn at any time. The first line goes where the command clears the screen.
        self.wait_until(
            lambda: self._row() != "›" or self.text.count(shown) > times or self.text.partition("\n")[0] != first
        )

    def wait_for_prompt(self, draft: str = "") -> None:
        """Wait until the chat's prompt holds just `draft` and takes single keys: before that, Enter is a line feed."""
        prompt = f"› {draft}".strip()
        self.wait_until(lambda: self._row() == prompt and not termios.tcgetattr(self._master)[0] & termios.ICRNL)

    def _row(self) -> str:
        """The row of the cursor."""
        return self._screen.display[self._screen.cursor.y].strip()

    def close_window(self) -> int:
        """Close the terminal, as its window or the connection to it is closed; the exit code of the command."""
        os.close(self._master)
        return self.process.wait(20)

    def resize(self, columns: int, rows: int) -> None:
        """Change the size of the window."""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._screen.resize(rows, columns)
        os.killpg(self.process.pid, signal.SIGWINCH)

    def wait_for(self, wanted: str, within: float = 20.0) -> str:
        """The text once it holds `wanted`."""
        deadline = time.monotonic() + within
        while wanted not in self.text:
            assert time.monotonic() < deadline, f"no {wanted!r} within {within} s on:\n{self.text}"
            self._read(0.05)
        return self.text

    def wait_until(self, so: Callable[[], bool], within: float = 20.0) -> None:
        """Read the screen until the condition holds."""
        deadline = time.monotonic() + within
        while not so():
            assert time.monotonic() < deadline, f"not within {within} s; on the screen:\n{self.text}"
            self._read(0.05)

    def wait_end(self, within: float = 20.0) -> int:
        """The exit code, once the command has ended."""
        deadline = time.monotonic() + within
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"it goes on, with:\n{self.text}"
            self._read(0.05)
        self._read(0.05)
        return self.process.returncode

    def _read(self, seconds: float) -> None:
        with contextlib.suppress(OSError):  # the other side is closed
            while select.select([self._master], [], [], seconds)[0]:
                data = os.read(self._master, 65536)
                if not data:
                    return
                self.received += data
                before, *after = data.split(b"\x1b[6n")
                self._stream.feed(before)
                for part in (
                    after
                ):  # prompt-toolkit asks where the cursor is: there, after what came before; a terminal answers
                    at = self._screen.cursor
                    os.write(self._master, f"\x1b[{at.y + 1};{at.x + 1}R".encode())
                    self._stream.feed(part)
                seconds = 0.0


def _without_size() -> dict[str, str]:
    """Our environment, without the size of our own terminal: pytest-xdist sets it."""
    return {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
