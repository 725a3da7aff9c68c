"""The time, as a record carries it."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["moment_of", "now"]


def now() -> str:
    """Now: UTC, ISO 8601, milliseconds."""
    return _text(datetime.now(UTC))


def moment_of(seconds: float) -> str:
    """So many seconds since 1970."""
    return _text(datetime.fromtimestamp(seconds, UTC))


def _text(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
