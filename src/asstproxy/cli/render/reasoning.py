"""What an assistant writes besides its answer: its reasoning, and commentary between tool calls."""

from __future__ import annotations

from typing import Literal

from rich.console import Console, ConsoleOptions, RenderableType
from rich.padding import Padding
from rich.text import Text

from ...text.figures import duration, seconds_between
from ...text.safe_text import Cleaner
from ..look import prefers_words

__all__ = ["ReasoningView", "thought_lines"]

_TAIL = 1_000
"""Characters whose last rows are shown while the text arrives."""


class ReasoningView:
    """Drawn live, it is its last rows, dim. At the end, commentary is printed whole, and reasoning is folded into one line.

    `whole`: reasoning is printed whole, too. `command`: the one that prints it later, named in the line.
    """

    def __init__(
        self, kind: Literal["reasoning", "commentary"], at: str, *, whole: bool = False, command: str = ""
    ) -> None:
        self.kind = kind
        self._whole, self._command = whole or kind == "commentary", command
        self._began = at
        self._clean = Cleaner().feed
        self._chunks: list[str] = []
        self._tail = ""

    def feed(self, text: str) -> None:
        """Add the next chunk."""
        text = self._clean(text)
        self._tail = (self._tail + text)[-_TAIL:]
        if self._whole:
            self._chunks.append(text)

    def rows(self, console: Console, options: ConsoleOptions, height: int) -> list[Text]:
        """The last rows, wrapped to the present width."""
        lines = Text(self._tail.strip(), style="asst.reasoning").wrap(console, options.max_width)
        return [line for line in lines if line.plain.strip()][-height:]

    def close(self, at: str) -> list[RenderableType]:
        """The lines to print; `at` is the time of the record that ended it."""
        text = "".join(self._chunks).strip()
        if self.kind == "commentary":
            return [Text(text, style="asst.reasoning", overflow="fold")] if text else []
        return thought_lines(seconds_between(self._began, at), text, command=self._command)


def thought_lines(seconds: float, text: str = "", *, tokens: int = 0, command: str = "") -> list[RenderableType]:
    """Reasoning, folded into one line, or with its `text`, indented, below that."""
    mark = "" if prefers_words() else "▾ " if text else "▸ "
    parts = [f"{mark}Thought for {duration(seconds)}", f"{tokens:,} tokens" if tokens else ""]
    parts.append("" if text else command)
    head = Text(" · ".join(filter(None, parts)), style="asst.reasoning", no_wrap=True, overflow="ellipsis")
    body = Padding(Text(text, style="asst.reasoning", overflow="fold"), (0, 0, 0, 2), expand=False)
    return [head, body] if text else [head]
