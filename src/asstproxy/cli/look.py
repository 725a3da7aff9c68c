"""How this process draws: `--color`, `--theme` and `--plain-ui`, anywhere on the command line, or what the configuration says."""

from __future__ import annotations

import os
from functools import cache

from ..config.look import Look, load_look
from ..core.errors import UsageError

__all__ = ["OPTIONS", "choose", "look", "prefers_words", "take_look_options"]

OPTIONS = ("--color", "--theme", "--plain-ui")
_chosen: dict[str, str | bool] = {}


def take_look_options(arguments: list[str]) -> None:
    """Remove the options from the arguments, and remember them.

    Raises:
        UsageError: a value is missing, or unknown.
    """
    end = arguments.index("--") if "--" in arguments else len(arguments)
    while (at := next((i for i in range(end) if arguments[i].partition("=")[0] in OPTIONS), None)) is not None:
        option, equals, value = arguments.pop(at).partition("=")
        end -= 1
        if option == "--plain-ui":
            _chosen["plain_ui"] = True
            continue
        if not equals:
            if at >= end:
                raise UsageError(f"{option} needs a value.")
            value = arguments.pop(at)
            end -= 1
        _chosen[option.removeprefix("--")] = value
    look.cache_clear()
    look()


def choose(**chosen: str | bool) -> None:
    """Choose this, over what the configuration says."""
    _chosen.update(chosen)
    look.cache_clear()


@cache
def look() -> Look:
    """The look, as it was chosen; read once.

    Raises:
        NotSetUpError: the configuration can't be read.
        UsageError: a value that was chosen is unknown.
    """
    return load_look(_chosen)


def prefers_words() -> bool:
    """Whether words take the place of marks: for a screen reader, and on a dumb terminal."""
    return look().plain_ui or os.environ.get("TERM") == "dumb"
