"""Two answers to one message: side by side where there is room, or one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from .markdown_stream import MarkdownStream

__all__ = ["SIDE_BY_SIDE", "ShownAnswer", "comparison"]

SIDE_BY_SIDE = 110
"""Columns from which answers stand side by side."""
_GAP = 4


@dataclass(frozen=True, slots=True)
class ShownAnswer:
    """Who answered, the answer as Markdown, and the lines below it, of which an error is in its own colour."""

    who: str
    model: str
    answer: str
    closing: str
    error: str = ""

    def parts(self, number: int) -> Iterator[RenderableType]:
        """What is printed, one below the other."""
        yield Text.assemble((f"{number}  ", "bold"), (self.who, "asst.assistant"), (f" · {self.model}", "dim"))
        stream = MarkdownStream()
        stream.feed(self.answer)
        yield from stream.finish()
        if self.error:
            yield Text.assemble(("Error", "asst.error"), f": {self.error}")
        yield Text(self.closing, style="dim")


def comparison(answers: Sequence[ShownAnswer], width: int, *, plain: bool = False) -> Iterator[RenderableType]:
    """What to print, one below the other, on a screen of this width. `plain`: without a rule."""
    if width >= SIDE_BY_SIDE:
        table = Table.grid(padding=(0, _GAP, 0, 0), expand=True, pad_edge=False)
        for _ in answers:
            table.add_column(ratio=1, vertical="top", overflow="fold")
        table.add_row(*(Group(*answer.parts(number)) for number, answer in enumerate(answers, 1)))
        yield table
        return
    for number, answer in enumerate(answers, 1):
        if number > 1:
            yield Text("" if plain else "─" * width, style="asst.border", no_wrap=True, overflow="crop")
        yield from answer.parts(number)
