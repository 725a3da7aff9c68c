"""The table of sessions on a terminal: short ids, when, title, who, turns, state, as wide as the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from ...store.transcript import Summary
from ...text.safe_text import clean_line
from ..render.truncate import pad, truncate

__all__ = ["SessionTable", "relative_time"]

_WHEN, _WHO, _TURNS, _STATE = 12, 10, 5, 11
_ALL_COLUMNS = 70
"""Columns of the terminal from which who answered and the number of turns are shown, too."""
_WITH_STATE = 48


class SessionTable:
    """Lays sessions out in `width` columns; `ids` are their short ids. The title takes what the other columns leave."""

    def __init__(self, width: int, ids: Mapping[str, str]) -> None:
        self._ids = ids
        self._id = max((len(short) for short in ids.values()), default=4)
        self._all, self._with_state = width >= _ALL_COLUMNS, width >= _WITH_STATE
        taken = self._id + 2 + _WHEN + 2
        taken += 2 + _WHO + 2 + _TURNS if self._all else 0
        taken += 2 + _STATE if self._with_state else 0
        self._title = max(width - taken, 8)

    @property
    def header(self) -> str:
        """The names of the columns."""
        return self._line("Id", "When", "Title", "Profile", "Turns", "State")

    def row(self, summary: Summary, state: str, now: datetime | None = None) -> str:
        """A session. A completed one shows no state, so that the others stand out."""
        return self._line(
            self.short(summary.id),
            relative_time(summary.created, now),
            clean_line(summary.title),
            clean_line(summary.profile or summary.provider),
            str(summary.exchange_count),
            "" if state == "completed" else state,
        )

    def short(self, session: str) -> str:
        """The short id of a session."""
        return self._ids.get(session) or clean_line(session)

    def _line(self, session: str, when: str, title: str, who: str, turns: str, state: str) -> str:
        parts = [pad(session, self._id), pad(when, _WHEN), pad(truncate(title, self._title), self._title)]
        if self._all:
            parts += [pad(truncate(who, _WHO), _WHO), turns.rjust(_TURNS)]
        if self._with_state:
            parts.append(state)
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
