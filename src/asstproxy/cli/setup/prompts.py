"""Questions on stderr. Ctrl-C at any of them ends the whole command, and nothing was changed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

import typer

from ...core.errors import AsstError
from ...core.redact import redact_settings
from ...text.safe_text import clean
from ..hints import hint_for

__all__ = ["ask", "ask_hidden", "ask_until", "choose", "confirm", "say", "wait_for"]

T = TypeVar("T")
WIDTH = 40
"""Columns for the names in a list, at most."""


def say(line: str = "") -> None:
    """Print a line on stderr."""
    sys.stderr.write(redact_settings(clean(line)) + "\n")


def ask(question: str, default: str = "") -> str:
    """A line of text; `default` if it is empty."""
    typed: str = typer.prompt(clean(question), default=default, show_default=bool(default), err=True)
    return typed.strip()


def ask_hidden(question: str) -> str:
    """A line that is not shown while it is typed."""
    typed: str = typer.prompt(clean(question), default="", show_default=False, hide_input=True, err=True)
    return typed.strip()


def ask_until(question: str, default: str, use: Callable[[str], T]) -> T:
    """Ask until the answer is valid: until `use` raises no error."""
    while True:
        try:
            return use(ask(question, default))
        except AsstError as error:
            say(f"  {error} {hint_for(error)}")


def confirm(question: str, *, default: bool) -> bool:
    """Yes or no."""
    return typer.confirm(clean(question), default=default, err=True)


def choose(question: str, offers: Sequence[tuple[str, str]], default: str, *, free: bool = False) -> str:
    """One of these (name, description), by its number or its name; with `free`, any other text, too.

    An empty answer takes `default`, which may be empty.
    """
    names = [name for name, _ in offers]
    width = min(max(map(len, names)), WIDTH)
    for number, (name, what) in enumerate(offers, 1):
        say(f"  {number:>2}  {name:<{width}}  {what}".rstrip())
    shown = str(names.index(default) + 1) if default in names else default
    while True:
        typed = ask(question, shown)
        if typed.isdigit() and 1 <= int(typed) <= len(names):
            return names[int(typed) - 1]
        if typed in names or typed == default or (free and typed and not typed.isdigit()):
            return typed
        say(f"  Type a number from 1 to {len(names)}{', or a name' if free else ''}.")


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
