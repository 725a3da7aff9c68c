"""Colours: the terminal's own palette, bold and dim, and no background: readable on dark and light."""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import shutil
from typing import IO

from rich.cells import cell_len
from rich.console import Console, ConsoleDimensions
from rich.style import Style
from rich.theme import Theme

from ...core.script import State
from ..look import look

__all__ = [
    "THEME",
    "console",
    "encoding_warning",
    "is_plain",
    "is_styled",
    "recoloured",
    "redraws",
    "themed",
    "with_marks_for",
]

_STATES = {
    State.NEW: "dim",
    State.READY: "blue",
    State.STARTED: "blue",
    State.RUNNING: "cyan",
    State.STREAMING: "cyan",
    State.REQUIRES_ACTION: "magenta",
    State.AWAITING_APPROVAL: "magenta",
    State.TOOLS_EXECUTED: "magenta",
    State.TOOL_OUTPUTS_SUBMITTED: "blue",
    State.COMPLETED: "green",
    State.INCOMPLETE: "yellow",
    State.CANCELLED: "yellow",
    State.ERROR: "red",
}

THEME = Theme(
    {
        **{f"asst.state.{state}": colour for state, colour in _STATES.items()},
        "asst.person": "bold green",
        "asst.assistant": "bold cyan",
        "asst.system": "bold magenta",
        "asst.notice": "yellow",
        "asst.error": "bold red",
        "asst.warning": "bold yellow",
        "asst.good": "green",
        "asst.bad": "red",
        "asst.reasoning": "dim",
        "asst.border": "dim",
        # Rich's own Markdown styles put black behind code and bright colours on links.
        "markdown.code": "cyan",
        "markdown.code_block": "none",
        "markdown.kbd": "bold",
        "markdown.block_quote": "italic",
        "markdown.h1": "bold underline",
        "markdown.h2": "bold underline",
        "markdown.h3": "bold",
        "markdown.h4": "bold italic",
        "markdown.h5": "italic",
        "markdown.h6": "italic",
        "markdown.item.bullet": "bold",
        "markdown.item.number": "bold",
        "markdown.link": "underline",
        "markdown.link_url": "none",  # Rich adds the hyperlink to it
        "markdown.address": "dim",
        "markdown.table.border": "dim",
        "markdown.table.header": "bold",
    }
)

_HANDLER = "asstproxy.terminal"
_ASCII = str.maketrans("▸›»→←◀▶…·•–—✗✓─╌━│┃╭╮╰╯█▓▒░●“”‘’", ">>>><<>~-*--xv---||++++#=+:o\"\"''")  # noqa: RUF001 - it is one of those that are replaced
_lacking: set[str] = set()  # encodings that could not write a character of the text


def _replaced(error: UnicodeError) -> tuple[str, int]:
    """An error handler of `codecs`: the marks of our drawings in ASCII, `?` for each other character."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end].translate(_ASCII)
    columns = "".join(c if c.isascii() else "?" * cell_len(c) for c in text)
    if columns != text and columns:
        _lacking.add(error.encoding)
    return columns, error.end


codecs.register_error(_HANDLER, _replaced)


def with_marks_for(stream: IO[str], text: str) -> str:
    """Text of our own, with ASCII marks if the stream's encoding lacks those that are in it."""
    try:
        text.encode(getattr(stream, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return text.translate(_ASCII)
    return text


def encoding_warning() -> str:
    """What to tell a person whose terminal could not show characters of a text; empty if that has not happened since."""
    if not _lacking:
        return ""
    encoding = _lacking.pop()
    return f"? stands for a character that your terminal's encoding ({encoding}) lacks. Set LC_ALL=C.UTF-8 to see it."


class _Console(Console):
    plain_ui = False
    """Whether words take the place of marks and frames."""

    @property
    def size(self) -> ConsoleDimensions:
        """The terminal's size. Rich takes every dumb terminal for one of 80 columns, and COLUMNS=0 at its word."""
        self._width, self._height = self._width or None, self._height or None  # COLUMNS=0 says nothing
        if self.is_dumb_terminal and self._width is None:
            return ConsoleDimensions(*shutil.get_terminal_size((80, 25)))
        return super().size

    @size.setter
    def size(self, new_size: tuple[int, int]) -> None:
        self._width, self._height = new_size

    def on_broken_pipe(self) -> None:
        """Raise it, so that the command can end in its own way. Rich would redirect stdout and exit."""
        raise  # noqa: PLE0704 - Rich calls this while it handles the BrokenPipeError


def redraws(console: Console) -> bool:
    """Whether what is on the screen can be drawn again there."""
    return console.is_terminal and not is_plain(console)


def is_plain(console: Console) -> bool:
    """Whether words take the place of marks and frames: on a dumb terminal, and for a screen reader."""
    return getattr(console, "plain_ui", False) or console.is_dumb_terminal


def is_styled(console: Console) -> bool:
    """Whether there are colours, so that code is known by its own."""
    return console.color_system is not None and not console.no_color


def themed(name: str) -> Theme:
    """The theme of that name. `auto` is that of the terminal's background, where it tells (`COLORFGBG`)."""
    if not _other_colours(name):
        return THEME
    styles = {key: style for key, style in THEME.styles.items() if key.startswith(("asst.", "markdown."))}
    return Theme({key: recoloured(style, name) for key, style in styles.items()})


_OTHER_COLOURS: dict[str, dict[str, str]] = {
    # Plain blue and red fade on black, yellow and cyan on white.
    "dark": {"blue": "bright_blue", "red": "bright_red", "magenta": "bright_magenta"},
    "light": {"yellow": "magenta", "cyan": "blue"},
}


def _other_colours(name: str) -> dict[str, str]:
    if name == "auto":
        _, _, background = os.environ.get("COLORFGBG", "").rpartition(";")
        name = {"0": "dark", "15": "light"}.get(background, "auto")
    return _OTHER_COLOURS.get(name, {})


def recoloured(style: Style, name: str) -> Style:
    """A style in the theme of that name."""
    replaced = _other_colours(name)
    colour = style.color.name if style.color is not None else ""
    return style + Style(color=replaced[colour]) if colour in replaced else style


def console(*, stderr: bool = False) -> Console:
    """A console on stdout or stderr, with the look that was chosen.

    `NO_COLOR` (no colour) and `TERM=dumb` (no repainting) are honoured. Text is shown as it is: no markup, no emoji codes, no
    colouring of numbers. On a terminal, a mark that its encoding lacks becomes an ASCII one, and any other character `?` (see
    `encoding_warning`), so that the columns stay; in a file it is escaped.

    Raises:
        AsstError: the configuration has an error, or a value that was chosen is unknown.
    """
    chosen = look()
    without = chosen.color == "never" or chosen.theme == "mono"
    made = _Console(
        stderr=stderr,
        theme=themed(chosen.theme),
        markup=False,
        emoji=False,
        highlight=False,
        no_color=True if without else False if chosen.color == "always" else None,
        color_system="standard" if chosen.color == "always" else "auto",
    )
    made.plain_ui = chosen.plain_ui
    if isinstance(made.file, io.TextIOWrapper):
        with contextlib.suppress(io.UnsupportedOperation):
            made.file.reconfigure(errors=_HANDLER if made.file.isatty() else "backslashreplace")
    return made
