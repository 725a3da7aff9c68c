"""The line below the prompt: who answers, with which tools, how full the context is, what the session cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.utils import get_cwidth

from ...text.figures import count_of, short_count
from ...text.safe_text import clean_line

__all__ = ["Meter", "Toolbar", "toolbar_text"]

_WARN, _FULL = 80, 95
"""Percent of the context from which the meter is yellow, and red."""
_SHRINKS = ("help", "id", "cost", "tools", "context")
"""These parts go, in this order, where the line is too long."""


@dataclass(frozen=True, slots=True)
class Meter:
    """Tokens of the conversation, of a `window` (0: unknown); `estimated`: no server reported them."""

    tokens: int = 0
    window: int = 0
    estimated: bool = False

    @property
    def percent(self) -> int:
        """How full the window is; 0 if it is unknown."""
        return round(100 * self.tokens / self.window) if self.window else 0

    def __str__(self) -> str:
        if not self.tokens:
            return ""
        about = "~" if self.estimated else ""
        if not self.window:
            return f"{about}{short_count(self.tokens)} tokens"
        if self.percent >= _FULL:
            return f"{about}{self.percent}% full · /compact"
        more = " · /compact" if self.percent >= _WARN else ""
        return f"{about}{self.percent}% of {short_count(self.window)}{more}"

    @property
    def style(self) -> str:
        """The class of its style."""
        if self.percent >= _FULL:
            return "class:toolbar.full"
        return "class:toolbar.warning" if self.percent >= _WARN else "class:toolbar"


@dataclass(frozen=True, slots=True)
class Toolbar:
    """What it says. `servers`: MCP servers that are not ready yet, or failed, with the style class of each text."""

    profile: str
    model: str
    tools: int = 0
    servers: Sequence[tuple[str, str]] = ()
    meter: Meter = Meter()
    cost: str = ""
    session: str = "new session"


def toolbar_text(toolbar: Toolbar, width: int) -> StyleAndTextTuples:
    """The line, in so many columns: the right side is cut piece by piece, then the name on the left."""
    left = " · ".join(filter(None, (clean_line(toolbar.profile), clean_line(toolbar.model))))
    dim = "class:toolbar"
    pieces: dict[str, StyleAndTextTuples] = {
        "servers": _joined([(style, clean_line(text)) for style, text in toolbar.servers]),
        "tools": [(dim, count_of(toolbar.tools, "tool"))] if toolbar.tools else [],
        "context": [(toolbar.meter.style, str(toolbar.meter))] if str(toolbar.meter) else [],
        "cost": [(dim, toolbar.cost)] if toolbar.cost else [],
        "id": [(dim, toolbar.session)] if toolbar.session else [],
        "help": [(dim, "/help")],
    }
    for name in _SHRINKS:
        if get_cwidth(left) + _length(pieces) + 4 <= width:
            break
        pieces[name] = []
    right = _joined([], *(piece for piece in pieces.values() if piece))
    if get_cwidth(left) + _length(pieces) + 3 > width:  # who answers stays
        right = []
    left = _cut(left, width - 1)
    gap = max(width - 2 - get_cwidth(left) - (_length(pieces) if right else 0), 0)
    return [(dim, f" {left}"), (dim, " " * gap), *right]


def _cut(text: str, columns: int) -> str:
    """The text in at most so many columns."""
    if get_cwidth(text) <= columns:
        return text
    while text and get_cwidth(text) > columns - 1:
        text = text[:-1]
    return f"{text}…" if columns > 0 else ""


def _joined(texts: Sequence[tuple[str, str]], *pieces: StyleAndTextTuples) -> StyleAndTextTuples:
    parts: StyleAndTextTuples = []
    shown: list[StyleAndTextTuples] = [[one] for one in texts]
    for piece in [*shown, *pieces]:
        if parts:
            parts.append(("class:toolbar", " · "))
        parts.extend(piece)
    return parts


def _length(pieces: dict[str, StyleAndTextTuples]) -> int:
    shown = [piece for piece in pieces.values() if piece]
    return sum(get_cwidth(part[1]) for piece in shown for part in piece) + 3 * max(len(shown) - 1, 0)
