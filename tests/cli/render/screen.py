"""A terminal to draw on, and records to draw."""

from __future__ import annotations

import io
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pyte
from rich.console import Console

from asstproxy.cli.render.theme import THEME, console
from asstproxy.core.events import Event, Record, Unknown
from asstproxy.core.script import STEPS, State

__all__ = ["Script", "Terminal", "printed"]


class Terminal(io.StringIO):
    """An emulated terminal. `sent` is all that was written to it."""

    def __init__(self, columns: int = 80, rows: int = 40) -> None:
        super().__init__()
        self._screen = pyte.HistoryScreen(columns, rows, history=100_000, ratio=1)
        self._stream = pyte.Stream(self._screen)
        self._written: list[str] = []
        self.console = type(console())(
            file=self,
            width=columns,
            height=rows,
            force_terminal=True,
            color_system="standard",
            theme=THEME,
            markup=False,
            emoji=False,
            highlight=False,
            legacy_windows=False,
            _environ={},
        )

    def write(self, text: str) -> int:
        """Show it."""
        self._written.append(text)
        self._stream.feed(text.replace("\n", "\r\n"))  # as a terminal driver does
        return len(text)

    def isatty(self) -> bool:
        """It is one."""
        return True

    @property
    def sent(self) -> str:
        """Every character, in order."""
        return "".join(self._written)

    @property
    def writes(self) -> int:
        """How many writes there were."""
        return len(self._written)

    @property
    def rows(self) -> list[str]:
        """Scrollback and screen, without empty rows at the end."""
        screen = self._screen
        gone = ["".join(row[column].data for column in range(screen.columns)) for row in screen.history.top]
        rows = [row.rstrip() for row in [*gone, *screen.display]]
        while rows and not rows[-1]:
            rows.pop()
        return rows

    @property
    def text(self) -> str:
        """The rows as one text."""
        return "\n".join(self.rows)

    @property
    def title(self) -> str:
        """The window's title."""
        return str(self._screen.title)


class Script:
    """Stamps events as a mediator would; `wait` lets time pass between them."""

    def __init__(self, state: State = State.NEW) -> None:
        self._now = datetime(2026, 11, 22, 19, 45, tzinfo=UTC)
        self._state = state
        self._seq = 0

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self._now += timedelta(seconds=seconds)

    def __call__(self, event: Event | Unknown) -> Record:
        """The event, stamped."""
        if event.type in STEPS:
            self._state = STEPS[event.type].dest
        self._seq += 1
        at = self._now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return Record(self._seq, at, self._state, event)

    def play(self, parts: Iterable[Event | Unknown | float]) -> list[Record]:
        """The records of these events; a number is seconds that pass."""
        records = []
        for part in parts:
            if isinstance(part, int | float):
                self.wait(part)
            else:
                records.append(self(part))
        return records


def printed(columns: int = 80) -> Console:
    """A console that prints into a text (`console.file.getvalue()`), without colours."""
    return Console(
        file=io.StringIO(),
        width=columns,
        height=40,
        color_system=None,
        theme=THEME,
        markup=False,
        emoji=False,
        highlight=False,
        _environ={},
    )
