"""What `asst doctor` prints: one `Finding` a line."""

from __future__ import annotations

from typing import Literal, NamedTuple

__all__ = ["Finding", "Status"]

Status = Literal["ok", "absent", "warning", "broken"]
"""`absent`: not there, and not needed."""


class Finding(NamedTuple):
    """One line: what was looked at, its state, and what to do about it."""

    group: str
    what: str
    status: Status
    text: str
    hint: str = ""
