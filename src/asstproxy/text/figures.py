"""Times and numbers as a person reads them."""

from __future__ import annotations

from datetime import datetime

from .safe_text import clean_line

__all__ = ["count_of", "duration", "local_time", "seconds_between", "short_count"]


def duration(seconds: float) -> str:
    """`310 ms`, `1.2 s`, `2 min 5 s`, `1 h 2 min`."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def count_of(number: int, thing: str) -> str:
    """`1 tool`, `2 tools`, `1,200 tools`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def short_count(number: int) -> str:
    """`640`, `1.2k`, `14k`, `870k`, `1.05M`: for tokens."""
    if number < 1_000:
        return str(number)
    if number < 9_950:
        return f"{number / 1_000:.1f}".removesuffix(".0") + "k"
    if number < 999_500:
        return f"{number / 1_000:.0f}k"
    return f"{number / 1_000_000:.2f}".rstrip("0").rstrip(".") + "M"


def seconds_between(earlier: str, later: str) -> float:
    """Seconds from one record's `at` to another's; 0 if one is unreadable or the clock was set back."""
    try:
        return max(0.0, (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds())
    except (TypeError, ValueError):
        return 0.0


def local_time(at: str) -> str:
    """An ISO 8601 time, in the user's time zone: `2026-11-22 20:45`."""
    try:
        return datetime.fromisoformat(at).astimezone().strftime("%Y-%m-%d %H:%M")
    except (ValueError, OverflowError):
        return f"{clean_line(at[:16]):16}"
