"""The lines of the session picker, as wide as the terminal: header, rows, preview, hints."""

from __future__ import annotations

from collections.abc import Sequence

from prompt_toolkit.formatted_text import StyleAndTextTuples
from rich.cells import cell_len, chop_cells

from ...store.transcript import Summary
from ...text.safe_text import clean_label, clean_line
from ..render.truncate import pad, truncate
from .table import relative_time

__all__ = ["PickerLines"]

_WIDE = 110
"""Columns from which the preview stands next to the list."""
_ALL_COLUMNS = 70
"""Columns of the list from which it has the profile and the number of turns."""
_WHEN, _WHO, _TURNS = 11, 8, 5
_HINTS = ("↑↓ choose", "Enter continue", "Tab fork", "Ctrl-R rename", "Esc back")
_PREVIEWED = 1000
"""Characters of a message or an answer."""


class PickerLines:
    """Lays a picker out in `width` columns; `words` are what is searched for."""

    def __init__(self, width: int, words: str) -> None:
        self._width = width
        self._words = words.casefold().split()
        self.is_wide = width >= _WIDE
        self.list_width = width // 2 + 2 if self.is_wide else width

    def header(self, count: int, *, searching: bool) -> StyleAndTextTuples:
        """The question, and how many sessions there are."""
        title = "Continue which session?"
        right = "searching …" if searching else f"{count:,}, newest first"
        space = self._width - cell_len(title) - cell_len(right)
        return [("class:title", title), ("class:muted", " " * space + right if space > 1 else "")]

    def row(self, summary: Summary, short: str) -> str:
        """A session."""
        parts = [short, pad(truncate(relative_time(summary.created), _WHEN), _WHEN)]
        room = self.list_width - (3 if self.is_wide else 2) - sum(cell_len(part) + 2 for part in parts)
        has_all = not self.is_wide and self._width >= _ALL_COLUMNS
        if has_all:
            room -= 2 + _WHO + 1 + _TURNS
        title = clean_line(summary.title) or "(no title)"
        parts.append(pad(truncate(title, max(room, 8)), max(room, 8)))
        if has_all:
            who = clean_line(summary.profile or summary.provider)
            parts.append(pad(truncate(who, _WHO), _WHO) + " " + str(summary.exchange_count).rjust(_TURNS))
        return "  ".join(parts)

    @property
    def hints(self) -> str:
        """The keys, as many as fit."""
        hints = list(_HINTS)
        while len(hints) > 1 and cell_len(" · ".join(hints)) > self._width:
            hints.pop(-2)
        return " · ".join(hints)

    def preview(self, messages: Sequence[tuple[str, str]], who: str, rows: int) -> StyleAndTextTuples:
        """The last turn, or the one in which most of the words occur."""
        if not messages:
            return []
        message, answer = max(reversed(messages), key=self._score) if self._words else messages[-1]
        width = self._width - self.list_width - 2 if self.is_wide else self._width
        name = truncate(clean_line(who) or "assistant", 10)
        margin = max(cell_len(name), 3) + 2
        parts: StyleAndTextTuples = []
        left = rows
        for label, text, most in (("You", message, (rows + 1) // 2), (name, answer, rows)):
            lines = self._wrapped(text, width - margin)[: min(most, left)]
            for number, line in enumerate(lines):
                parts += [("class:title", pad(label if number == 0 else "", margin)), ("", f"{line}\n")]
            left -= len(lines)
        return parts

    def _score(self, turn: tuple[str, str]) -> int:
        text = f"{turn[0]}\n{turn[1]}".casefold()
        return sum(word in text for word in self._words)

    def _wrapped(self, text: str, width: int) -> list[str]:
        """The beginning of a text, or what surrounds the first of the words, in lines; cut words are rare enough."""
        start = min((at for word in self._words if (at := text.casefold().find(word)) >= 0), default=0)
        text = text if start < _PREVIEWED // 4 else "…" + text[start - 40 :]
        line = clean_label(text, _PREVIEWED)
        lines: list[str] = []
        current = ""
        for word in line.split(" "):
            if current and cell_len(current) + 1 + cell_len(word) > width:
                lines.append(current)
                current = word
            else:
                current = f"{current} {word}" if current else word
            if cell_len(current) > width:
                *whole, current = chop_cells(current, max(width, 1))
                lines += whole
        return [*lines, current] if current else lines
