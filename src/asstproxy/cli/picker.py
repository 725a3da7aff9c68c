"""A list to choose from in the terminal, by arrow keys or by typing what to look for. It is gone afterwards.

Never more rows than fit, never a row wider than the screen; the scrollback keeps what was above it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from prompt_toolkit.application import Application
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout import Layout, Window
from prompt_toolkit.layout.controls import FormattedTextControl

from .render.truncate import truncate

__all__ = ["BACK", "Table", "pick"]

BACK = None
"""What `pick` returns for Esc."""
_ROWS = 12
"""Rows that are shown, if the screen has room."""


@dataclass(frozen=True, slots=True)
class Table:
    """What is chosen from: a heading, and a line for each choice, all for one width of the screen."""

    heading: str
    lines: Sequence[str]


class _Picker:
    def __init__(
        self, names: Sequence[str], draw: Callable[[int], Table], chosen: str, *, free: bool, words: Sequence[str]
    ) -> None:
        self._names, self._draw, self._free = names, draw, free
        self._words = [f"{name} {more}".casefold() for name, more in zip(names, words, strict=True)]
        self.query = ""
        self.found = list(range(len(names)))
        self.at = names.index(chosen) if chosen in names else 0
        self._top = 0

    def search(self, query: str) -> None:
        """Show what holds all these words; what begins with them comes first."""
        self.query = query
        words = query.casefold().split()
        found = [i for i, text in enumerate(self._words) if all(word in text for word in words)]
        self.found = sorted(found, key=lambda i: not self._words[i].startswith(query.casefold()))
        self.at = self._top = 0

    def move(self, by: int) -> None:
        """Choose a row further down or up."""
        self.at = min(max(self.at + by, 0), max(len(self.found) - 1, 0))

    @property
    def result(self) -> str | None:
        """What Enter takes; None: nothing."""
        if self.found:
            return self._names[self.found[self.at]]
        return self.query.strip() or None if self._free else None

    def text(self, columns: int, rows: int) -> StyleAndTextTuples:
        """The list on a screen of this size."""
        room = max(min(_ROWS, rows - 3), 1)
        table = self._draw(max(columns - 2, 10))
        self._top = min(max(self._top, self.at - room + 1), self.at)
        parts: StyleAndTextTuples = [("bold", truncate(f"  {table.heading}", columns) + "\n")]
        for number, index in enumerate(self.found[self._top : self._top + room], self._top):
            is_chosen = number == self.at
            line = truncate(f"{'›' if is_chosen else ' '} {table.lines[index]}", columns)
            parts.append(("reverse" if is_chosen else "", line))
            parts.append(("", "\n"))
        parts.append(("class:muted", truncate(self._footer(room), columns)))
        return parts

    def _footer(self, room: int) -> str:
        more = len(self.found) - room
        if not self.query:
            before = f"{more} more: type to search" if more > 0 else "Type to search"
            return f"  {before} · Enter choose · Esc back"
        if self.found:
            return f"  Search: {self.query}▌ {len(self.found)} of {len(self._names)} · Enter choose · Esc back"
        end = "Enter takes it as it is" if self._free else "nothing found"
        return f"  Search: {self.query}▌ {end} · Esc back"


def _bindings(picker: _Picker) -> KeyBindings:
    keys = KeyBindings()

    def moves(by: int) -> Callable[[KeyPressEvent], None]:
        return lambda _: picker.move(by)

    for names, by in ((("up", "c-p"), -1), (("down", "c-n"), 1), (("pageup",), -_ROWS), (("pagedown",), _ROWS)):
        for name in names:
            keys.add(name)(moves(by))
    keys.add("home")(moves(-(10**6)))
    keys.add("end")(moves(10**6))

    @keys.add("enter")
    def _(event: KeyPressEvent) -> None:
        if picker.result is not None:
            event.app.exit(result=picker.result)

    @keys.add("tab")
    def _(event: KeyPressEvent) -> None:  # noqa: ARG001 - prompt_toolkit's signature
        if picker.result is not None:
            picker.search(picker.result)

    @keys.add("escape")
    @keys.add("c-c")
    @keys.add("c-d")
    def _(event: KeyPressEvent) -> None:
        event.app.exit(result=BACK)

    @keys.add("backspace")
    def _(event: KeyPressEvent) -> None:  # noqa: ARG001 - prompt_toolkit's signature
        picker.search(picker.query[:-1])

    @keys.add(Keys.Any)
    def _(event: KeyPressEvent) -> None:
        if event.data.isprintable():
            picker.search(picker.query + event.data)

    return keys


async def pick(
    names: Sequence[str],
    draw: Callable[[int], Table],
    chosen: str = "",
    *,
    free: bool = False,
    words: Sequence[str] | None = None,
) -> str | None:
    """Let the person choose one of these names; None: Esc or Ctrl-C.

    `draw` gives the table for a number of columns, with a line for each name. `free`: what was typed may be taken as it is.
    `words`: more text to search in, for each name.
    """
    picker = _Picker(names, draw, chosen, free=free, words=words or [""] * len(names))
    app: Application[Any] = Application()

    def text() -> StyleAndTextTuples:
        size = app.output.get_size()
        return picker.text(size.columns, size.rows)

    control = FormattedTextControl(text, focusable=True, show_cursor=False)
    app = Application(
        layout=Layout(Window(control, always_hide_cursor=True, dont_extend_height=True, wrap_lines=False)),
        key_bindings=_bindings(picker),
        erase_when_done=True,
        full_screen=False,
    )
    app.ttimeoutlen = 0.05  # seconds after which Esc is not the beginning of another key
    app.timeoutlen = 0.05
    picked = await app.run_async(handle_sigint=False)
    return picked if isinstance(picked, str) else None
