"""How wide the columns of a Markdown table are that does not fit: Rich takes from the widest, and would break words in two."""

from __future__ import annotations

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

__all__ = ["keep_words_whole"]

_GAP = 2
"""Columns between two cells."""
_LONGEST = (24, 20, 16, 12)
"""Columns up to which a word counts, the first for which there is room; a longer one, such as an address, is folded."""
_LEAST = 6
"""Columns for a column that has none but longer words."""


def keep_words_whole(table: Table, width: int) -> None:
    """Give each column of a table that is wider than `width` room for its longest word, if that is possible."""
    room = width - _GAP * (len(table.columns) - 1)
    if len(table.columns) * min(_LONGEST) > 4 * room:
        return  # not even words of three letters would fit
    cells = [[_lines(cell) for cell in (column.header, *column.cells)] for column in table.columns]
    widths = [max((cell_len(line) for lines in column for line in lines), default=1) for column in cells]
    if sum(widths) <= room:
        return
    words = [{cell_len(word) for lines in column for line in lines for word in line.split()} for column in cells]
    for longest in _LONGEST:
        least = [max((word for word in own if word <= longest), default=_LEAST) for own in words]
        if sum(least) <= room:
            break
    else:
        return
    for column, cut in zip(table.columns, _cut(widths, least, room), strict=True):
        column.width = cut


def _cut(widths: list[int], least: list[int], room: int) -> list[int]:
    """The widths, of which the widest were cut to the same measure, but none below its least."""
    low, high = 1, max(widths)
    while low < high:  # the largest measure that fits
        measure = (low + high + 1) // 2
        if sum(max(min(w, measure), a) for w, a in zip(widths, least, strict=True)) <= room:
            low = measure
        else:
            high = measure - 1
    cut = [max(min(w, low), a) for w, a in zip(widths, least, strict=True)]
    for place in sorted(range(len(cut)), key=lambda at: widths[at] - cut[at], reverse=True)[: room - sum(cut)]:
        cut[place] += cut[place] < widths[place]
    return cut


def _lines(cell: object) -> list[str]:
    return (cell.plain if isinstance(cell, Text) else str(cell)).split("\n")
