"""A short question at the prompt, answered with one word: by its first letter, or with the arrow keys and Enter."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from prompt_toolkit.application import Application
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.layout import FormattedTextControl, Layout, Window
from prompt_toolkit.styles import Style

__all__ = ["choose"]

_STYLE = Style.from_dict({"hint": "noinherit fg:default", "chosen": "reverse"})


async def choose(question: str, words: Sequence[str]) -> str:
    """The word that was chosen; empty if Esc, Ctrl-C or Ctrl-D was pressed. Enter takes the first one."""
    at = 0

    def text() -> StyleAndTextTuples:
        parts: StyleAndTextTuples = [("bold", f"{question} ")]
        for number, word in enumerate(words):
            parts += [("class:chosen" if number == at else "", f" {word} "), ("", " ")]
        return [*parts, ("class:hint", " Enter choose · Esc back")]

    def move(by: int, event: KeyPressEvent) -> None:
        nonlocal at
        at = (at + by) % len(words)
        event.app.invalidate()

    def end(word: str, event: KeyPressEvent) -> None:
        event.app.exit(result=word)

    keys = KeyBindings()
    for key in ("right", "tab", "down"):
        keys.add(key)(partial(move, 1))
    for key in ("left", "s-tab", "up"):
        keys.add(key)(partial(move, -1))
    keys.add("enter")(lambda event: end(words[at], event))
    for key in ("escape", "c-c", "c-d"):
        keys.add(key)(partial(end, ""))
    for word in words:
        keys.add(word[0])(partial(end, word))
    window = Window(FormattedTextControl(text, focusable=True, show_cursor=False), height=1, wrap_lines=False)
    asked: Application[str] = Application(
        layout=Layout(window), key_bindings=keys, style=_STYLE, erase_when_done=True, full_screen=False
    )
    asked.ttimeoutlen = asked.timeoutlen = 0.1
    return await asked.run_async(handle_sigint=False)
