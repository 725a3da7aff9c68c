"""`sessions show --sequence`: each exchange as a sequence diagram in the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from ...export.sequence import LANES, Arrow
from ...text.figures import duration
from ...text.safe_text import clean_line
from .truncate import truncate

__all__ = ["print_sequence"]

_STYLES = {"message": "bold", "order": "cyan", "wire": "green", "note": "magenta"}
_TIME = 8
_WIDEST, _WIDE, _NARROW = 44, 32, 12
"""Columns between two lanes: enough for a label on the arrow, or (narrow) with the labels on the right."""


def print_sequence(console: Console, arrows: Sequence[Arrow]) -> None:
    """Draw the lanes of every exchange. On a narrow terminal, the labels stand to the right of all lanes."""
    step = min((console.width - _TIME - 12) // 3, _WIDEST)
    draw = _label_on_arrow if step >= _WIDE else _label_right
    step = step if step >= _WIDE else _NARROW
    exchange = 0
    for arrow in arrows:
        if arrow.exchange != exchange:
            if exchange:
                console.print()
            exchange = arrow.exchange
            console.print(Text(f"Turn {exchange}", style="bold"))
            console.print(_heads(step), no_wrap=True, overflow="crop")
        row = Text(f"{duration(arrow.at):>{_TIME - 2}}  ", style="dim")
        draw(row, arrow, step, console.width)
        console.print(row, no_wrap=True, overflow="crop")


def _heads(step: int) -> Text:
    names = LANES if step >= _WIDE else ("User Proxy", "Mediator", "Assistant", "API")
    row = " " * _TIME
    for index, name in enumerate(names):
        row = set_cell_size(row, max(_TIME + index * step - len(name) // 2, 0)) + name
    return Text(row, style="bold")


def _label(arrow: Arrow) -> str:
    many = f" ×{arrow.count}" if arrow.count > 1 else ""
    text = clean_line(arrow.text[:2000])
    return f"{clean_line(arrow.name)}{many}{f': {text}' if text else ''}"


def _label_right(row: Text, arrow: Arrow, step: int, width: int) -> None:
    _lanes(row, arrow, step, "")
    row.append(f"  {truncate(_label(arrow), width - row.cell_len - 2)}", style=_STYLES[arrow.kind])


def _label_on_arrow(row: Text, arrow: Arrow, step: int, width: int) -> None:
    if arrow.source != arrow.target:
        _lanes(row, arrow, step, _label(arrow))
        return
    for _ in range(arrow.source):
        row.append("│" + " " * (step - 1), style="dim")
    row.append("│", style="dim")
    row.append(f" ● {truncate(_label(arrow), width - row.cell_len - 3)}", style=_STYLES[arrow.kind])


def _lanes(row: Text, arrow: Arrow, step: int, label: str) -> None:
    left, right = sorted((arrow.source, arrow.target))
    for lane in range(len(LANES)):
        row.append("●" if lane == left == right else "│", style=_STYLES[arrow.kind] if lane == left == right else "dim")
        if left <= lane < right:
            if lane == left:
                row.append(_shaft(arrow, step * (right - left) - 1, label), style=_STYLES[arrow.kind])
        elif lane < len(LANES) - 1:
            row.append(" " * (step - 1))


def _shaft(arrow: Arrow, room: int, label: str) -> str:
    line = "╌" if arrow.kind == "order" else "─"
    text = f" {truncate(label, room - 5)} " if label else ""
    shaft = line + text + line * max(room - 2 - cell_len(text), 0)
    return f"{shaft}▶" if arrow.target > arrow.source else f"◀{shaft}"
