"""One finished block of Markdown, as Rich prints it."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Sequence
from typing import ClassVar

from markdown_it.token import Token
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, JustifyMethod, RenderResult
from rich.markdown import (
    BlockQuote,
    Heading,
    HorizontalRule,
    ListElement,
    ListItem,
    Markdown,
    MarkdownElement,
    TableElement,
)
from rich.rule import Rule
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from .markdown_code import CodeLines, CodeLinesPage, MathLines, code_line
from .markdown_inline import with_marks
from .table_widths import keep_words_whole
from .theme import is_plain, is_styled

__all__ = ["Block"]

_DEEP = 19  # markdown-it's limit is 20 levels

_NARROW = 12
"""Columns that nesting must leave for the text."""


class Block:
    """A top-level block, or a piece of a long one. `apart`: an empty line comes before it.

    `source` is its Markdown, printed as it is when the block can't be drawn: it has no tokens, its nesting is wider than
    the screen, or Rich fails on it.
    """

    def __init__(self, tokens: list[Token], source: str, *, apart: bool) -> None:
        self.tokens = tokens
        self.source = source
        self.apart = apart

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for row in self.rows(console, options):
            yield from row
            yield Segment.line()

    def rows(self, console: Console, options: ConsoleOptions, *, folded: bool = False) -> Iterator[list[Segment]]:
        """The rows. A line of code is one row, however long it is, or `folded` to the width."""
        if self.apart:
            yield []
        # Rich pads rows with spaces. Without them a row copies well, and does not wrap in a narrower terminal.
        rows, lines = self._drawn(console, options)
        for row in rows or self._as_written(console, options):
            line = code_line(row, lines)
            if line is None:
                yield _stripped(row)
            elif folded:
                yield from _folded(line, options.max_width)
            else:
                yield line

    def _drawn(self, console: Console, options: ConsoleOptions) -> tuple[list[list[Segment]], Sequence[list[Segment]]]:
        """The rows as Rich lays them out, with placeholders for lines of code; and these lines."""
        if self.tokens and _indentation(self.tokens) + _NARROW <= options.max_width:
            page = copy.copy(_PAGE)
            page.code_lines = []
            page.parsed = self.tokens if is_styled(console) else with_marks(self.tokens)
            try:
                segments = list(console.render(page, options))
            except Exception:  # noqa: BLE001 - the answer is shown, whatever a model writes
                segments = []
            # Rich prints an empty line before a block that contains others, even before the first.
            skip = len(self.tokens) > 1 and segments[:1] == [Segment.line()]
            return list(Segment.split_lines(segments[skip:])), page.code_lines
        return [], []

    def _as_written(self, console: Console, options: ConsoleOptions) -> Iterator[list[Segment]]:
        # Row by row: Rich would make one segment of them all, and splitting it takes the square of its length.
        for row in Text(self.source.rstrip("\n")).wrap(console, options.max_width, overflow="fold"):
            yield list(row.render(console))


def _folded(line: list[Segment], width: int) -> Iterator[list[Segment]]:
    """The rows that a terminal makes of a line of code."""
    row: list[Segment] = []
    used = 0
    for text, style, _ in line:
        piece = ""
        for character in text:
            columns = 8 - used % 8 if character == "\t" else cell_len(character)
            if used + columns > width and used:
                yield [*row, Segment(piece, style)]
                row, piece, used = [], "", 0
                columns = min(columns, width)
            piece += " " * columns if character == "\t" else character
            used += columns
        row.append(Segment(piece, style))
    yield row


def _stripped(row: list[Segment]) -> list[Segment]:
    while row and not row[-1].text.strip(" "):
        row.pop()
    if row:
        text, style, control = row[-1]
        row[-1] = Segment(text.rstrip(" "), style, control)
    return row


def _indentation(tokens: list[Token]) -> float:
    """Columns that the deepest nesting takes; infinite where it is too deep for the parser, which leaves text out."""
    deepest = now = 0
    for token in tokens:
        if token.level >= _DEEP:
            return math.inf
        if token.type in ("blockquote_open", "blockquote_close", "list_item_open", "list_item_close"):
            now += 4 * token.nesting
            deepest = max(deepest, now)
    return deepest


class _Heading(Heading):
    LEVEL_ALIGN: ClassVar[dict[str, JustifyMethod]] = dict.fromkeys(Heading.LEVEL_ALIGN, "left")


class _Rule(HorizontalRule):
    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text("---") if is_plain(console) else Rule(style="markdown.hr")
        yield Text()


class _Table(TableElement):
    """Without Rich's empty rows above and below; a word that is wider than its column is folded, not cut."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for table in super().__rich_console__(console, options):
            if isinstance(table, Table):
                table.show_edge = False
                if is_plain(console):
                    table.box = None  # a screen reader would read the line below the header character by character
                for column in table.columns:
                    column.overflow = "fold"
                keep_words_whole(table, options.max_width)
            yield table


class _Quote(BlockQuote):
    """With the sign of mail in front where words take the place of marks."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for segment in super().__rich_console__(console, options):
            is_bar = isinstance(segment, Segment) and segment.text == "▌ " and is_plain(console)
            yield Segment("> ", self.style) if is_bar else segment


class _NumberedList(ListElement):
    """The width of the number column depends on the number alone, so that a list may be printed in pieces."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for number, item in enumerate(self.items, 1 if self.list_start is None else self.list_start):
            yield from _numbered(item, number, console, options)


def _numbered(item: ListItem, number: int, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
    style = console.get_style("markdown.item.number", default="none")
    numeral = f"{number}.".rjust(3) + " "
    lines = console.render_lines(
        item.elements, options.update(width=options.max_width - len(numeral)), style=item.style
    )
    for place, line in enumerate(lines):
        yield Segment(" " * len(numeral) if place else numeral, style)
        yield from line
        yield Segment.line()


class _Page(CodeLinesPage):
    elements: ClassVar[dict[str, type[MarkdownElement]]] = {
        **Markdown.elements,
        "heading_open": _Heading,
        "fence": CodeLines,
        "code_block": CodeLines,
        "math_block": MathLines,
        "hr": _Rule,
        "blockquote_open": _Quote,
        "table_open": _Table,
        "ordered_list_open": _NumberedList,
    }
    inlines: ClassVar[set[str]] = Markdown.inlines | {"link", "address"}  # type: ignore[misc]  # see markdown_inline._linked


_PAGE = _Page("")
"""Copied for every block: a new one would create a parser."""
