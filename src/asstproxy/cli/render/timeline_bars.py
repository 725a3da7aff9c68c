"""`sessions show --timeline`: each exchange as bars over time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.text import Text

from ...export.timings import ExchangeSpans, Kind, Span
from ...text.call_text import call_line
from ...text.figures import duration
from ...text.safe_text import clean_line

__all__ = ["print_timeline"]

_STYLES: dict[Kind, str] = {"waiting": "dim", "streaming": "cyan", "tools": "magenta", "approval": "yellow"}
_FILL: dict[Kind, str] = {"waiting": "░", "streaming": "█", "tools": "▓", "approval": "▒"}
_NAMES = 12
"""Columns for the names of the rows."""


def print_timeline(console: Console, exchanges: Sequence[ExchangeSpans]) -> None:
    """Draw every exchange on its own scale: a row of all spans, then a row for each kind that occurs, and for each tool."""
    legend = Text("  ").join(Text(f"{_FILL[kind]} {kind}", style=_STYLES[kind]) for kind in _FILL)
    console.print(legend)
    width = max(console.width - _NAMES - 12, 20)
    for exchange in exchanges:
        console.print()
        title = Text(f"{exchange.number}. ", style="bold")
        title.append(clean_line(exchange.user[:500]))
        title.truncate(max(console.width - 30, 20), overflow="ellipsis")
        title.append(f"  {exchange.state}", style=f"asst.state.{exchange.state}")
        title.append(f"  {duration(exchange.seconds)}", style="dim")
        console.print(title)
        for row in _rows(exchange, width):
            console.print(row, no_wrap=True, overflow="crop")


def _rows(exchange: ExchangeSpans, width: int) -> Iterator[Text]:
    yield _row("", exchange.spans, exchange.seconds, width, "")
    for kind in _FILL:
        spans = [span for span in exchange.spans if span.kind == kind]
        if spans and len(exchange.spans) > 1:
            yield _row(kind, spans, exchange.seconds, width, duration(exchange.total(kind)))
        if kind == "tools":
            for tool in exchange.tools:
                name = f"  {call_line(tool.name)}"
                yield _row(name, [tool], exchange.seconds, width, duration(tool.end - tool.start))


def _row(name: str, spans: Sequence[Span], whole: float, width: int, seconds: str) -> Text:
    row = Text(f"{name[: _NAMES - 1]:{_NAMES}}", style="dim")
    cells: list[Kind | None] = [None] * width
    for span in spans:
        first = round(span.start / whole * (width - 1)) if whole else 0
        last = round(span.end / whole * (width - 1)) if whole else width - 1
        for cell in range(first, last + 1):
            cells[cell] = span.kind
    for kind in cells:
        row.append(_FILL[kind] if kind else "·", style=_STYLES[kind] if kind else "dim")
    row.append(f" {seconds}", style="dim")
    return row
