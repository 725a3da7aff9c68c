"""A line typed at a question: Tab completes it, Esc goes back where there is something to go back to."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

import typer

__all__ = ["GoBack", "can_edit", "read_line"]


class GoBack(Exception):  # noqa: N818 - not an error: the person wants the step before
    """Esc was pressed; its argument is what was typed before."""


def can_edit() -> bool:
    """Whether the terminal can redraw the line that is typed."""
    if not (sys.stdin.isatty() and sys.stderr.isatty() and os.environ.get("TERM", "") not in ("", "dumb")):
        return False
    import prompt_toolkit  # noqa: F401 - now, so that the first question is ready as soon as it stands there

    return True


def read_line(question: str, default: str, words: Sequence[str], *, may_go_back: bool) -> str:
    """What was typed, without spaces around it; empty for Enter alone.

    Raises:
        GoBack: Esc was pressed.
        typer.Abort: Ctrl-C or Ctrl-D was pressed.
    """
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import WordCompleter
    from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
    from prompt_toolkit.output import create_output

    keys = KeyBindings()
    if may_go_back:

        @keys.add("escape")
        def _(event: KeyPressEvent) -> None:
            event.app.exit(exception=GoBack(event.current_buffer.text))

    session: PromptSession[Any] = PromptSession(
        output=create_output(stdout=sys.stderr),
        completer=WordCompleter(list(words), ignore_case=True, match_middle=True, sentence=True),
        complete_while_typing=False,
        key_bindings=keys,
    )
    session.app.ttimeoutlen = session.app.timeoutlen = (
        0.05  # seconds after which Esc is not the beginning of another key
    )
    shown = f" [{default}]: " if default else ": "
    try:
        return str(session.prompt([("bold", question), ("", shown)])).strip()
    except (EOFError, KeyboardInterrupt):
        raise typer.Abort from None
