"""The table of sessions on a terminal: short ids, when, title, who, turns, cost, state, as wide as the terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from ...store.transcript import Summary
from ...text.figures import short_count
from ...text.safe_text import clean_line
from ..render.truncate import pad, truncate

__all__ = ["SessionTable", "relative_time"]


class _Column(NamedTuple):
    """A column. `least`: the columns of the terminal from which it is shown."""

    heading: str
    width: int
    least: int = 0
    right: bool = False


_WHEN = 11
_AFTER_TITLE = (
    _Column("Profile", 10, 70),
    _Column("Model", 16, 110),
    _Column("Turns", 5, 70, right=True),
    _Column("Tokens", 7, 110, right=True),
    _Column("Cost", 11, 110, right=True),
    _Column("State", 11, 48),
)


class SessionTable:
    """Lays sessions out in `width` columns; `ids` are their short ids. The title takes what the other columns leave.

    `cost` says what a session cost; it is called only where there is room for it.
    """

    def __init__(self, width: int, ids: Mapping[str, str], cost: Callable[[str], str] = lambda _: "") -> None:
        self._ids, self._cost = ids, cost
        self._id = max((len(short) for short in ids.values()), default=4)
        self._columns = [column for column in _AFTER_TITLE if width >= column.least]
        taken = self._id + 2 + _WHEN + 2 + sum(2 + column.width for column in self._columns)
        self._title = max(width - taken, 8)

    @property
    def header(self) -> str:
        """The names of the columns."""
        return self._line("Id", "When", "Title", {column: column.heading for column in self._columns})

    def row(self, summary: Summary, state: str, now: datetime | None = None) -> str:
        """A session. A completed one shows no state, so that the others stand out."""
        cells = {column: self._cell(column.heading, summary, state) for column in self._columns}
        return self._line(self.short(summary.id), relative_time(summary.created, now), clean_line(summary.title), cells)

    def short(self, session: str) -> str:
        """The short id of a session."""
        return self._ids.get(session) or clean_line(session)

    def _cell(self, heading: str, summary: Summary, state: str) -> str:
        match heading:
            case "Profile":
                return clean_line(summary.profile or summary.provider)
            case "Model":
                return clean_line(summary.model)
            case "Turns":
                return str(summary.exchange_count)
            case "Tokens":
                tokens = summary.usage.input + summary.usage.output
                return ("" if not tokens else f"{tokens:,}") if tokens < 1_000_000 else short_count(tokens)
            case "Cost":
                return self._cost(summary.id)
            case _:
                return "" if state == "completed" else state

    def _line(self, session: str, when: str, title: str, cells: Mapping[_Column, str]) -> str:
        parts = [pad(session, self._id), pad(when, _WHEN), pad(truncate(title, self._title), self._title)]
        for column, cell in cells.items():
            cut = truncate(cell, column.width)
            parts.append(cut.rjust(column.width) if column.right else pad(cut, column.width))
        return "  ".join(parts).rstrip()


def relative_time(at: str, now: datetime | None = None) -> str:
    """When it was, in the user's time zone: `2 min ago`, `today 14:02`, `yesterday`, `Thu 09:15`, `Nov 12`, `2025-11-12`."""
    try:
        then = datetime.fromisoformat(at).astimezone()
    except (ValueError, OverflowError):
        return clean_line(at[:_WHEN])
    now = (now or datetime.now().astimezone()).astimezone()
    ago, days = now - then, (now.date() - then.date()).days
    if timedelta(0) <= ago < timedelta(minutes=1):
        return "now"
    if timedelta(0) <= ago < timedelta(hours=1):
        return f"{ago // timedelta(minutes=1)} min ago"
    if days == 0:
        return f"today {then:%H:%M}"
    if days == 1:
        return "yesterday"
    if 1 < days < 7:
        return f"{then:%a %H:%M}"
    return f"{then:%b} {then.day}" if then.year == now.year else f"{then:%Y-%m-%d}"
