"""What is finished and goes to the terminal's scrollback: printed once, and never drawn again."""

from __future__ import annotations

from typing import Literal

from rich.console import RenderableType
from rich.text import Text

from .markdown_blocks import Block

__all__ = ["Kind", "Scrollback"]

Kind = Literal["message", "answer", "reasoning", "tools", "notice", "ending"]


class Scrollback:
    """Collects what to print, with an empty line between two kinds of things and none within one."""

    def __init__(self) -> None:
        self._pending: list[RenderableType] = []
        self._last: Kind | None = None  # what is above the next thing that is printed

    def take(self) -> list[RenderableType]:
        """What was added since the last call: print it once, one below the other."""
        pending, self._pending = self._pending, []
        return pending

    def add(self, kind: Kind, *lines: RenderableType) -> None:
        """Add lines of one kind."""
        if self._last not in (None, kind):
            self._pending.append(Text())
        self._pending += lines
        self._last = kind

    def add_blocks(self, blocks: list[Block]) -> None:
        """Add blocks of the answer, which know themselves whether an empty line comes before them."""
        if blocks:
            if self._last != "answer" and not blocks[0].apart:
                self._pending.append(Text())
            self._pending += blocks
            self._last = "answer"

    def insert(self, part: RenderableType) -> None:
        """Add something that counts as no kind."""
        self._pending.append(part)

    def mark(self, kind: Kind) -> None:
        """The caller has printed something of this kind itself."""
        self._last = kind
