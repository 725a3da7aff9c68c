"""How the screen looks: the table `[look]` of the configuration, and the variables that win over it.

```toml
[look]
color = "auto"      # always, never
theme = "auto"      # dark, light, mono
plain_ui = false    # for a screen reader: nothing is drawn again, words in place of marks
toolbar = true      # the line below the prompt of the chat
states = false      # print the path of every turn
```
"""

from __future__ import annotations

import os
from typing import Any, Literal

import msgspec

from ..core.errors import UsageError
from .paths import config_dir
from .toml import convert, read_toml

__all__ = ["COLORS", "THEMES", "Look", "load_look"]

Color = Literal["auto", "always", "never"]
ThemeName = Literal["auto", "dark", "light", "mono"]
COLORS: tuple[Color, ...] = ("auto", "always", "never")
THEMES: tuple[ThemeName, ...] = ("auto", "dark", "light", "mono")

_VARIABLES = {"color": "ASST_COLOR", "theme": "ASST_THEME", "plain_ui": "ASST_PLAIN_UI"}
_CHOICES: dict[str, tuple[str, ...]] = {"color": COLORS, "theme": THEMES}


class Look(msgspec.Struct, frozen=True):
    """What a person chose."""

    color: Color = "auto"
    theme: ThemeName = "auto"
    plain_ui: bool = False
    toolbar: bool = True
    states: bool = False


def load_look(chosen: dict[str, str | bool] | None = None) -> Look:
    """The look: `chosen` on the command line, else from the environment, else from the file.

    Raises:
        NotSetUpError: the table has an error; the message has the line.
        UsageError: a value that was chosen, or a variable, is none of those that are known.
    """
    path = config_dir() / "config.toml"
    table = read_toml(path).get("look", {})
    values: dict[str, Any] = msgspec.structs.asdict(convert(table, Look, path, ("look",)))
    if unknown := table.keys() - values.keys():
        from .slips import warn_of_slips

        warn_of_slips(path, ("look",), sorted(unknown), values)
    for name, variable in _VARIABLES.items():
        if text := os.environ.get(variable):
            values[name] = (
                text.lower() not in ("0", "false", "no") if name == "plain_ui" else _checked(name, text, variable)
            )
    for name, value in (chosen or {}).items():
        option = f"--{name.replace('_', '-')}"
        values[name] = _checked(name, value, option) if isinstance(value, str) else value
    return Look(**values)


def _checked(name: str, value: str, where: str) -> str:
    if value not in _CHOICES[name]:
        raise UsageError(f'{where} can\'t be "{value}".', f"Use {', '.join(_CHOICES[name])}.")
    return value
