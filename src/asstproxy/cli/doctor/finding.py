"""What `asst doctor` finds: one `Finding` for each thing that it looked at."""

from __future__ import annotations

from typing import Literal, NamedTuple

__all__ = ["MARKS", "Finding", "Mark", "Status"]

Status = Literal["ok", "absent", "warning", "broken"]
"""`absent`: not there, and not needed."""


class Mark(NamedTuple):
    """How a status is printed: a mark, a word where marks can't be shown, and the colour of both (SGR)."""

    mark: str
    word: str
    colour: str


MARKS: dict[Status, Mark] = {
    "ok": Mark("✓", "ok", "32"),
    "absent": Mark("–", "absent", "2"),
    "warning": Mark("!", "warning", "33"),
    "broken": Mark("✗", "BROKEN", "31"),
}


class Finding(NamedTuple):
    """What was looked at, its state, and what to do about it.

    `short`: the text in the report of a few rows. `about`: what that one is about, if not `what`: the profile that
    needs a key. `is_profile`: `what` is a profile.
    """

    group: str
    what: str
    status: Status
    text: str
    hint: str = ""
    short: str = ""
    about: str = ""
    is_profile: bool = False
