"""The picker of sessions: newest first, a search, a preview. It is drawn below the prompt and leaves no trace."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Literal, NamedTuple

from prompt_toolkit.application import Application
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.layout import (
    BufferControl,
    ConditionalContainer,
    FormattedTextControl,
    HSplit,
    Layout,
    VSplit,
    Window,
)
from prompt_toolkit.patch_stdout import patch_stdout
from prompt_toolkit.styles import Style

from ...core.errors import AsstError
from ...store.store import Store
from .picker_lines import PickerLines
from .session_finder import SessionFinder

__all__ = ["Picked", "pick_session"]

_STYLE = Style.from_dict({"title": "bold", "chosen": "reverse", "muted": "fg:default", "error": "bold ansired"})
_MOST_ROWS = 12
_PREVIEW_ROWS = 4


class Picked(NamedTuple):
    """What was chosen, and whether to continue it or a copy of it."""

    session: str
    action: Literal["continue", "fork"]


async def pick_session(
    store: Store,
    rename: Callable[[str, str], None],
    *,
    words: str = "",
    without: Iterable[str] = (),
) -> Picked | None:
    """Let the user choose a session; None if they went back. `words` are searched for first.

    `rename` gives a session a title; `without` are the sessions that can't be chosen.
    """
    picker = _Picker(store, rename, words, without)
    try:
        with patch_stdout():  # a warning appears above the picker, not within it
            return await picker.app.run_async(handle_sigint=False)
    finally:
        picker.finder.close()


class _Picker:
    def __init__(self, store: Store, rename: Callable[[str, str], None], words: str, without: Iterable[str]) -> None:
        self._rename = rename
        self._at = self._top = 0
        self._renaming = ""  # the session whose title is typed
        self._problem = ""
        self._search = Buffer(multiline=False, on_text_changed=lambda _: self._search_again())
        self._title = Buffer(multiline=False)
        self.app: Application[Picked | None] = self._application()
        self.finder = SessionFinder(store, self.app.invalidate, without)
        if words:
            self._search.text = words
            self._search.cursor_position = len(words)

    # ---- keys ----------------------------------------------------------------------------------------------------------

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()
        is_renaming = Condition(lambda: bool(self._renaming))
        for key, by in (("up", -1), ("c-p", -1), ("down", 1), ("c-n", 1)):
            keys.add(key, filter=~is_renaming)(partial(self._move, by))
        keys.add("pageup", filter=~is_renaming)(lambda event: self._move(-self._rows, event))
        keys.add("pagedown", filter=~is_renaming)(lambda event: self._move(self._rows, event))
        keys.add("enter", filter=~is_renaming)(partial(self._choose, "continue"))
        keys.add("tab", filter=~is_renaming)(partial(self._choose, "fork"))
        keys.add("c-r", filter=~is_renaming)(self._begin_rename)
        keys.add("enter", filter=is_renaming)(self._end_rename)
        keys.add("escape", filter=is_renaming, eager=True)(self._cancel_rename)
        for key in ("escape", "c-c", "c-d"):
            keys.add(key, filter=~is_renaming, eager=True)(lambda event: event.app.exit(result=None))
        keys.add("c-c", filter=is_renaming, eager=True)(self._cancel_rename)
        return keys

    def _move(self, by: int, _: KeyPressEvent) -> None:
        self._at = max(0, min(self._at + by, len(self.finder.found) - 1))
        self._problem = ""

    def _choose(self, action: Literal["continue", "fork"], event: KeyPressEvent) -> None:
        if session := self._chosen:
            event.app.exit(result=Picked(session, action))

    def _search_again(self) -> None:
        self._at = self._top = 0
        self._problem = ""
        self.finder.search(self._search.text)

    def _begin_rename(self, event: KeyPressEvent) -> None:
        if session := self._chosen:
            self._renaming = session
            self._title.text = self.finder.summary(session).title
            self._title.cursor_position = len(self._title.text)
            event.app.layout.focus(self._title)

    def _end_rename(self, event: KeyPressEvent) -> None:
        try:
            self._rename(self._renaming, self._title.text)
            self.finder.forget(self._renaming)
            self._problem = ""
        except (AsstError, OSError) as error:
            self._problem = str(error)
        self._cancel_rename(event)

    def _cancel_rename(self, event: KeyPressEvent) -> None:
        self._renaming = ""
        event.app.layout.focus(self._search)

    # ---- drawing -------------------------------------------------------------------------------------------------------

    @property
    def _chosen(self) -> str:
        found = self.finder.found
        return found[self._at] if self._at < len(found) else ""

    @property
    def _rows(self) -> int:
        """Rows of the list."""
        height = self.app.output.get_size().rows
        taken = 4 if self._lines.is_wide else 5 + _PREVIEW_ROWS
        return max(3, min(_MOST_ROWS, height - taken))

    @property
    def _lines(self) -> PickerLines:
        return PickerLines(self.app.output.get_size().columns, self._search.text)

    def _application(self) -> Application[Picked | None]:
        is_wide = Condition(lambda: self._lines.is_wide)
        is_renaming = Condition(lambda: bool(self._renaming))
        listed = Window(FormattedTextControl(self._list), height=lambda: self._rows, wrap_lines=False)
        preview = FormattedTextControl(self._preview)
        return Application(
            layout=Layout(
                HSplit(
                    [
                        _line(lambda: self._lines.header(len(self.finder.found), searching=self.finder.is_searching)),
                        ConditionalContainer(_field("Search: ", self._search), ~is_renaming),
                        ConditionalContainer(_field("New title: ", self._title), is_renaming),
                        ConditionalContainer(
                            VSplit(
                                [
                                    Window(
                                        FormattedTextControl(self._list),
                                        height=lambda: self._rows,
                                        width=lambda: self._lines.list_width,
                                    ),
                                    Window(width=1, char="│", style="class:muted"),
                                    Window(width=1),
                                    Window(preview, height=lambda: self._rows),
                                ]
                            ),
                            is_wide,
                        ),
                        ConditionalContainer(
                            HSplit(
                                [
                                    listed,
                                    Window(height=1, char="─", style="class:muted"),
                                    Window(preview, height=_PREVIEW_ROWS),
                                ]
                            ),
                            ~is_wide,
                        ),
                        _line(self._hints),
                    ]
                ),
                focused_element=self._search,
            ),
            key_bindings=self._keys(),
            style=_STYLE,
            erase_when_done=True,
            min_redraw_interval=0.02,
        )

    def _list(self) -> StyleAndTextTuples:
        found, rows = self.finder.found, self._rows
        self._at = max(0, min(self._at, len(found) - 1))
        self._top = max(min(self._top, self._at), self._at - rows + 1)
        shown = found[self._top : self._top + rows]
        if not shown:
            return [("class:muted", "  Searching …" if self.finder.is_searching else "  Nothing found.")]
        short = self.finder.short(shown)
        width = max((len(short[one]) for one in shown), default=4)
        parts: StyleAndTextTuples = []
        for number, session in enumerate(shown, self._top):
            line = self._lines.row(self.finder.summary(session), short[session].ljust(width))
            is_chosen = number == self._at
            parts.append(("class:chosen" if is_chosen else "", f"{'› ' if is_chosen else '  '}{line}\n"))
        return parts

    def _preview(self) -> StyleAndTextTuples:
        lines = self._lines
        if not (session := self._chosen):
            return []
        summary = self.finder.summary(session)
        rows = self._rows if lines.is_wide else _PREVIEW_ROWS
        return lines.preview(self.finder.messages(session), summary.profile or summary.provider, rows)

    def _hints(self) -> StyleAndTextTuples:
        if self._problem:
            return [("class:error", self._problem)]
        if self._renaming:
            return [("class:muted", "Enter saves the title · Esc back")]
        return [("class:muted", self._lines.hints)]


def _line(text: Callable[[], StyleAndTextTuples]) -> Window:
    return Window(FormattedTextControl(text), height=1, wrap_lines=False)


def _field(label: str, buffer: Buffer) -> VSplit:
    return VSplit(
        [
            Window(FormattedTextControl(label), width=len(label), height=1),
            Window(BufferControl(buffer), height=1, wrap_lines=False),
        ]
    )
