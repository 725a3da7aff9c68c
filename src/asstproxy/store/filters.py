"""Filters for sessions: when they began, who answered, and how they ended."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ..core.errors import SessionError, UsageError
from ..core.script import State
from . import ulid
from .store import INTERRUPTED, Store
from .transcript import Summary

__all__ = ["SessionFilter", "cutoff", "filter_sessions", "make_filter"]

_AGE = re.compile(r"(\d+)\s*(m|h|d|w|y)")
_HOURS = {"m": 1 / 60, "h": 1, "d": 24, "w": 24 * 7, "y": 24 * 365}


@dataclass(frozen=True, slots=True)
class SessionFilter:
    """`since`: sessions that began then or later, in milliseconds since 1970; `provider`, `state`: empty for any."""

    since: int = 0
    provider: str = ""
    state: str = ""

    def matches(self, summary: Summary, state: str) -> bool:
        """Whether a session that is in this state (see `Store.state_of`) matches the provider and the state."""
        return (not self.provider or self.provider in (summary.provider, summary.profile)) and (
            not self.state or self.state == state
        )


def make_filter(since: str, provider: str, state: str) -> SessionFilter:
    """The filter for the options of a command.

    Raises:
        UsageError: a value is invalid.
    """
    if state and state not in (states := [*State, INTERRUPTED]):
        raise UsageError(f"No such state: '{state}'.", f"Use one of: {', '.join(states)}.")
    return SessionFilter(cutoff(since) if since else 0, provider, state)


def cutoff(text: str) -> int:
    """The time of an age (`90d`, `12h`, `2w`) or a day (`2026-11-01`), in milliseconds since 1970.

    Raises:
        UsageError: it is neither.
    """
    found = _AGE.fullmatch(text.strip().lower())
    try:
        if found:
            return int((time.time() - timedelta(hours=int(found[1]) * _HOURS[found[2]]).total_seconds()) * 1000)
        return int(datetime.fromisoformat(text.strip()).astimezone(UTC).timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        raise UsageError(
            f"'{text}' isn't a time.", "Use an age, such as 90d, 12h or 2w, or a day: 2026-11-01."
        ) from None


def filter_sessions(store: Store, wanted: SessionFilter) -> Iterator[Summary]:
    """The matching sessions, newest first, one by one. One that can't be read has the reason as its title."""
    for month in store.months():
        for one in store.month(month):
            if ulid.time_of(one) < wanted.since:
                return
            try:
                summary = store.summary(one)
            except SessionError as error:
                summary = Summary(id=one, title=f"[damaged] {error}", state=State.ERROR)
            if wanted.matches(summary, store.state_of(summary) if wanted.state else summary.state):
                yield summary
