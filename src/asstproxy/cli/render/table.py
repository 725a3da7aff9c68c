"""A table of texts in columns, each as wide as its widest cell: for lists whose last column may be cut by the terminal."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from .truncate import pad, truncate

__all__ = ["Column", "table_lines"]


class Column(NamedTuple):
    """A column: its heading, and whether its cells stand at its right edge."""

    heading: str
    right: bool = False


def table_lines(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int | None = None) -> Iterator[str]:
    """The heading and the rows; if they are wider than the terminal (or `width`), the first column is cut."""
    from rich.cells import cell_len

    cells = [[column.heading for column in columns], *rows]
    widths = [max(cell_len(row[number]) for row in cells) for number in range(len(columns))]
    room = (width or shutil.get_terminal_size().columns) - sum(widths[1:]) - 2 * (len(columns) - 1)
    widths[0] = max(min(widths[0], room), 8)
    for row in cells:
        parts = [truncate(row[0], widths[0]), *row[1:]]
        filled = [
            " " * (wide - cell_len(part)) + part if column.right else pad(part, wide)
            for column, part, wide in zip(columns, parts, widths, strict=True)
        ]
        yield "  ".join(filled).rstrip()
