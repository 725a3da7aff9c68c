"""What an assistant writes besides its answer: its reasoning, and commentary between tool calls."""

from __future__ import annotations

from typing import Literal

from rich.console import Console, ConsoleOptions
from rich.text import Text

from ...text.figures import duration
from ...text.safe_text import Cleaner
from .timeline import seconds_between

__all__ = ["ReasoningView"]

_TAIL = 1_000
"""Characters whose last rows are shown while the text arrives."""


class ReasoningView:
    """Drawn live, it is its last rows, dim. At the end, commentary is printed whole, and reasoning becomes one line."""

    def __init__(self, kind: Literal["reasoning", "commentary"], at: str) -> None:
        self.kind = kind
        self._began = at
        self._clean = Cleaner().feed
        self._chunks: list[str] = []
        self._tail = ""

    def feed(self, text: str) -> None:
        """Add the next chunk."""
        text = self._clean(text)
        self._tail = (self._tail + text)[-_TAIL:]
        if self.kind == "commentary":
            self._chunks.append(text)

    def rows(self, console: Console, options: ConsoleOptions, height: int) -> list[Text]:
        """The last rows, wrapped to the present width."""
        lines = Text(self._tail.strip(), style="asst.reasoning").wrap(console, options.max_width)
        return [line for line in lines if line.plain.strip()][-height:]

    def close(self, at: str) -> list[Text]:
        """The lines to print; `at` is the time of the record that ended it."""
        if self.kind == "commentary":
            text = "".join(self._chunks).strip()
            return [Text(text, style="asst.reasoning", overflow="fold")] if text else []
        return [Text(f"Thought for {duration(seconds_between(self._began, at), ' ')}", style="asst.reasoning")]
