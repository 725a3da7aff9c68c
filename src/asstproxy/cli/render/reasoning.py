"""What an assistant says beside its answer: its reasoning, and remarks on the way (commentary)."""

from __future__ import annotations

from typing import Literal

from rich.console import Console, ConsoleOptions
from rich.text import Text

from .safe_text import Cleaner
from .timeline import duration, seconds_between

__all__ = ["ReasoningView"]

_SHOWN = 1_000
"""Characters of which the last rows are shown while they come."""


class ReasoningView:
    """Drawn live, it is its last rows, dim. At the end a commentary stays whole, reasoning becomes one line."""

    def __init__(self, kind: Literal["reasoning", "commentary"], at: str) -> None:
        self.kind = kind
        self._began = at
        self._clean = Cleaner().feed
        self._pieces: list[str] = []
        self._last = ""

    def feed(self, text: str) -> None:
        """Take the next piece."""
        text = self._clean(text)
        self._last = (self._last + text)[-_SHOWN:]
        if self.kind == "commentary":
            self._pieces.append(text)

    def rows(self, console: Console, options: ConsoleOptions, height: int) -> list[Text]:
        """The last rows as they would be wrapped now."""
        lines = Text(self._last.strip(), style="asst.aside").wrap(console, options.max_width)
        return [line for line in lines if line.plain.strip()][-height:]

    def close(self, at: str) -> list[Text]:
        """What stays of it; `at` is the time of the record that ended it."""
        if self.kind == "commentary":
            text = "".join(self._pieces).strip()
            return [Text(text, style="asst.aside", overflow="fold")] if text else []
        return [Text(f"thought for {duration(seconds_between(self._began, at), ' ')}", style="asst.aside")]
