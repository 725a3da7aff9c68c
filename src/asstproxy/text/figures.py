"""Times as a person reads them."""

from __future__ import annotations

from datetime import datetime

from .safe_text import clean_line

__all__ = ["duration", "local_time"]


def duration(seconds: float, space: str = "") -> str:
    """`310ms`, `1.2s`, `2m05s`, `1h02m`; with `space`, `310 ms` and `1.2 s`."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f}{space}ms"
    if seconds < 59.95:
        return f"{seconds:.1f}{space}s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}m{rest:02}s"
    return f"{minutes // 60}h{minutes % 60:02}m"


def local_time(at: str) -> str:
    """An ISO 8601 time, in the user's time zone: `2026-11-22 20:45`."""
    try:
        return datetime.fromisoformat(at).astimezone().strftime("%Y-%m-%d %H:%M")
    except (ValueError, OverflowError):
        return f"{clean_line(at[:16]):16}"
