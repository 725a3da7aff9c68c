"""Session ids: ULIDs (https://github.com/ulid/spec), whose names sort by time."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime

__all__ = ["month", "new"]

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 26


def new() -> str:
    """A fresh id: 48 bits of milliseconds, 80 bits of chance."""
    number = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
    return "".join(ALPHABET[number >> shift & 31] for shift in range(5 * (LENGTH - 1), -1, -5))


def month(ulid: str) -> str:
    """The month (UTC) in which the id was made, as `yyyy-mm`."""
    milliseconds = 0
    for letter in ulid[:10]:
        milliseconds = milliseconds << 5 | ALPHABET.index(letter)
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m")
