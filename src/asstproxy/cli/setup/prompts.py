"""Questions on stderr. Ctrl-C at any of them ends the whole command, and nothing was changed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from ...core.errors import AsstError
from ...core.redact import redact_settings
from ...text.safe_text import clean
from ..hints import hint_for
from .line_prompt import GoBack, can_edit, read_line

if TYPE_CHECKING:
    from rich.console import RenderableType

__all__ = [
    "ask",
    "ask_hidden",
    "ask_until",
    "asked",
    "begin_step",
    "choose",
    "confirm",
    "erase_to",
    "going_back",
    "rows_printed",
    "say",
    "show_step",
    "wait_for",
]

T = TypeVar("T")
WIDTH = 40
"""Columns for the names in a list, at most."""
_FIRST_WORDS = {
    "Checked:": "asst.good",
    "Found:": "asst.good",
    "Warning:": "asst.warning",
    "Not checked:": "asst.notice",
}
"""Lines that begin with these have them in a colour."""


class _Questions:
    """What the questions have in common: how many there were, whether Esc goes back, the heading of a step, rows on the screen."""

    def __init__(self) -> None:
        self.count = 0
        self.may_go_back = False
        self.heading = ""
        self.rows = 0


_questions = _Questions()


def asked() -> int:
    """How many questions were asked so far."""
    return _questions.count


@contextmanager
def going_back(*, allowed: bool) -> Iterator[None]:
    """Let Esc raise `GoBack` meanwhile."""
    before, _questions.may_go_back = _questions.may_go_back, allowed
    try:
        yield
    finally:
        _questions.may_go_back = before


def begin_step(heading: str) -> None:
    """Print this above the next question."""
    _questions.heading = heading


def show_step() -> None:
    """Print the heading of the step, if it isn't printed yet, and what the keys do."""
    heading, _questions.heading = _questions.heading, ""
    if heading and can_edit():
        say()
        say(heading, style="bold")
        back = "Esc back · " if _questions.may_go_back else ""
        say(f"Tab completes · {back}Ctrl-C leaves, saves nothing", style="dim")


def say(line: str = "", *, style: str = "") -> None:
    """Print a line on stderr. On a terminal it is wrapped between words, and has a style."""
    text = redact_settings(clean(line))
    if not sys.stderr.isatty():
        sys.stderr.write(text + "\n")
        return
    from rich.text import Text

    shown = Text(text, style)
    for words, colour in _FIRST_WORDS.items():
        if text.startswith(words):
            shown.stylize(colour, 0, len(words))
    _print(shown)


def _print(text: RenderableType) -> None:
    from ..render.theme import console

    on = console(stderr=True)
    _questions.rows += len(on.render_lines(text, pad=False))
    on.print(text)


def rows_printed() -> int:
    """How many rows stand on the screen, or scrolled off it, since the wizard began."""
    return _questions.rows


def erase_to(rows: int) -> None:
    """Take what was printed since there were so many rows from the screen, where that can be done."""
    from ..render.theme import console, redraws

    on = console(stderr=True)
    gone, _questions.rows = min(_questions.rows - rows, on.height - 1), rows
    if gone > 0 and can_edit() and redraws(on):
        # Rows are deleted: some terminals put what is merely cleared into the scrollback.
        sys.stderr.write(f"\x1b[{gone}A\r\x1b[{gone}M")
        sys.stderr.flush()


def _count_rows(line: str) -> None:
    """Count a question and its answer, which the terminal itself wraps."""
    from rich.cells import cell_len

    from ..render.theme import console

    _questions.rows += max(-(-cell_len(line) // console(stderr=True).width), 1)


def ask(question: str, default: str = "", words: Sequence[str] = ()) -> str:
    """A line of text; `default` if it is empty. Tab completes it to one of these words."""
    show_step()
    _questions.count += 1
    if can_edit():
        line = f"{question} [{default}]: " if default else f"{question}: "
        try:
            answer = read_line(clean(question), default, words, may_go_back=_questions.may_go_back)
        except GoBack as back:
            _count_rows(f"{line}{back}")
            raise
        _count_rows(f"{line}{answer}")
        return answer or default
    typed: str = typer.prompt(clean(question), default=default, show_default=bool(default), err=True)
    return typed.strip()


def ask_hidden(question: str) -> str:
    """A line that is not shown while it is typed."""
    show_step()
    _questions.count += 1
    typed: str = typer.prompt(clean(question), default="", show_default=False, hide_input=True, err=True)
    if sys.stderr.isatty():
        _count_rows(f"{question}: ")
    return typed.strip()


def ask_until(question: str, default: str, use: Callable[[str], T]) -> T:
    """Ask until the answer is valid: until `use` raises no error."""
    while True:
        try:
            return use(ask(question, default))
        except AsstError as error:
            say(f"  {error} {hint_for(error)}", style="asst.bad")


def confirm(question: str, *, default: bool) -> bool:
    """Yes or no."""
    if can_edit():
        return _confirm(question, default=default)
    return typer.confirm(clean(question), default=default, err=True)


def _confirm(question: str, *, default: bool) -> bool:
    while True:
        typed = ask(f"{question} [{'Y/n' if default else 'y/N'}]", words=("yes", "no")).lower()
        if not typed:
            return default
        if typed in ("y", "yes", "n", "no"):
            return typed[0] == "y"
        say("  Type yes or no.")


def choose(question: str, offers: Sequence[tuple[str, str]], default: str, *, free: bool = False) -> str:
    """One of these (name, description), by its number or its name; with `free`, any other text, too.

    An empty answer takes `default`, which may be empty.
    """
    try:
        return _choose(question, offers, default, free=free)
    except KeyboardInterrupt:  # while the list was printed
        raise typer.Abort from None


def _choose(question: str, offers: Sequence[tuple[str, str]], default: str, *, free: bool) -> str:
    show_step()
    names = [name for name, _ in offers]
    width = min(max(map(len, names)), WIDTH)
    for number, (name, what) in enumerate(offers, 1):
        _offer(number, f"{name:<{width}}", what, suggested=name == default)
    shown = str(names.index(default) + 1) if default in names else default
    while True:
        typed = ask(question, shown, names)
        if typed.isdigit() and 1 <= int(typed) <= len(names):
            return names[int(typed) - 1]
        if typed in names or typed == default or (free and typed and not typed.isdigit()):
            return typed
        say(f"  Type a number from 1 to {len(names)}{', or a name' if free else ''}.")


def _offer(number: int, name: str, what: str, *, suggested: bool) -> None:
    """A row of a list; the one that Enter takes is marked."""
    mark = "›" if suggested else " "
    if not sys.stderr.isatty():
        say(f"{mark} {number:>2}  {name}  {what}".rstrip())
        return
    from rich.table import Table
    from rich.text import Text

    row = Table.grid(padding=(0, 2, 0, 0))
    row.add_column(no_wrap=True)
    row.add_column(no_wrap=True, style="bold" if suggested else "")
    row.add_column(overflow="fold")
    row.add_row(Text.assemble(f"{mark} ", (f"{number:>2}", "cyan")), Text(clean(name)), Text(clean(what)))
    _print(row)


def wait_for(make: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine that takes a while. Ctrl-C ends the whole command."""
    from ..event_loop import run

    result: list[T] = []

    async def command(_: object) -> int:
        result.append(await make())
        return 0

    code = run(command)
    if not result:
        raise typer.Abort if code == 130 else SystemExit(code)
    return result[0]
