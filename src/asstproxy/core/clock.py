"""The time, as a record carries it."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["moment_of", "now", "unix_seconds"]


def now() -> str:
    """Now: UTC, ISO 8601, milliseconds."""
    return _text(datetime.now(UTC))


def moment_of(seconds: float) -> str:
    """So many seconds since 1970."""
    return _text(datetime.fromtimestamp(seconds, UTC))


def unix_seconds(at: str) -> float:
    """The Unix time of a record's `at`, in seconds; 0 if it can't be parsed."""
    try:
        return datetime.fromisoformat(at).timestamp()
    except (ValueError, OverflowError):
        return 0.0


def _text(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
