"""Session ids: ULIDs (https://github.com/ulid/spec), which sort by time."""

from __future__ import annotations

import os
import re
import time
from datetime import UTC, datetime

__all__ = ["derived", "is_ulid", "month", "new", "time_of"]

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 26
_ULID = re.compile(f"[0-7][{ALPHABET}]{{{LENGTH - 1}}}")


def new(milliseconds: int | None = None) -> str:
    """A new id: 48 bits of milliseconds since 1970 (default: now), 80 random bits."""
    return _written(
        time.time_ns() // 1_000_000 if milliseconds is None else milliseconds, int.from_bytes(os.urandom(10), "big")
    )


def derived(milliseconds: int, name: str) -> str:
    """The same id for the same time and name, always."""
    from hashlib import sha256

    return _written(milliseconds, int.from_bytes(sha256(name.encode()).digest()[:10], "big"))


def _written(milliseconds: int, rest: int) -> str:
    number = milliseconds << 80 | rest
    return "".join(ALPHABET[number >> shift & 31] for shift in range(5 * (LENGTH - 1), -1, -5))


def is_ulid(text: str) -> bool:
    """Whether the text is a ULID."""
    return _ULID.fullmatch(text) is not None


def time_of(ulid: str) -> int:
    """When the id was created, in milliseconds since 1970."""
    milliseconds = 0
    for letter in ulid[:10]:
        milliseconds = milliseconds << 5 | ALPHABET.index(letter)
    return milliseconds


def month(ulid: str) -> str:
    """The month (UTC) in which the id was created, as `yyyy-mm`."""
    try:
        return datetime.fromtimestamp(time_of(ulid) / 1000, UTC).strftime("%Y-%m")
    except (OverflowError, ValueError):  # the clock was thousands of years ahead
        return "9999-12"
