"""What must come of an exchange that met a fault: one row of the tables in `matrix.py` and `between.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from fnmatch import fnmatchcase
from typing import Literal

from servers import Fault

from .ways import Way

__all__ = ["AGAIN", "BEGUN", "MIDDLE", "NOTHING", "PART", "TEXT", "Case", "Outcome", "fails", "works"]

TEXT = "one two three four five six"
"""The answer; it is streamed word by word."""
PART = "one two"
"""What was streamed of it before `MIDDLE`."""
NOTHING = ""
AGAIN = 3
"""How often a request is sent at the most (`Patience.attempts`), where sending it again can help."""
BEGUN, MIDDLE = -1, -2
"""Instead of the number of an event: the place before the first, or the third, piece of text; see `Way`."""


@dataclass(frozen=True)
class Outcome:
    """`posts`: how often the model was asked, exactly. `text`: the answer that is kept. `pieces`: what arrived of it piece by
    piece, when that is something else. `exit`: what `asst ask` exits with.
    """

    state: Literal["completed", "error"]
    exit: int
    kind: str = ""
    posts: int = 1
    text: str = TEXT
    pieces: str | None = None

    @property
    def streamed(self) -> str:
        """What arrives piece by piece, when the answer is streamed."""
        return self.text if self.pieces is None else self.pieces


def works(text: str = TEXT, pieces: str | None = None, posts: int = 1) -> Outcome:
    """The answer is there."""
    return Outcome("completed", 0, posts=posts, text=text, pieces=pieces)


def fails(kind: str, posts: int = 1, text: str = NOTHING) -> Outcome:
    """An error of this kind; `text` is what had arrived, and is kept."""
    return Outcome("error", 1, kind, posts, text)


@dataclass(frozen=True)
class Case:
    """A fault and its outcome; `but` has those of other ways, by a pattern of their names: the first that fits counts.

    `of`: which answers have the place that the fault strikes at.
    """

    fault: Fault
    outcome: Outcome
    but: Mapping[str, Outcome] = field(default_factory=dict)
    of: Literal["any", "stream", "document"] = "any"

    def __str__(self) -> str:
        return str(self.fault).replace(f"event={BEGUN}", "begun").replace(f"event={MIDDLE}", "middle")

    def applies(self, way: Way) -> bool:
        """Whether an answer of this way has the place."""
        return self.of == "any" or (self.of == "stream") == way.stream

    def strikes(self, way: Way) -> Fault:
        """The fault, at the request that asks the model, and at the place where this way has it."""
        given = {name: getattr(self.fault, name) for name in (part.name for part in fields(self.fault))}
        places = {BEGUN: way.begun, MIDDLE: way.middle}
        event = {"event": places[given["event"]]} if given.get("event") in places else {}
        return replace(self.fault, on=way.asks, **event)

    def expected(self, way: Way) -> Outcome:
        """What must come of it."""
        return next((other for pattern, other in self.but.items() if fnmatchcase(way.name, pattern)), self.outcome)
