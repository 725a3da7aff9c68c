r"""The text of a template: `{{name}}` stands for a value, and nothing else is interpreted.

`\{{` is a literal `{{`, and before a `{{` each two backslashes are one. A value is put in as it is: a `{{name}}` in it stays.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ..core.errors import UsageError

__all__ = ["INPUT", "TemplateText", "escape", "parse_text"]

INPUT = "input"
"""The variable that stands for what is typed or piped in."""

# `(?<!\\)`: otherwise a run of backslashes is read again from each of them
_BRACES = re.compile(r"(?<!\\)(?P<slashes>\\*)\{\{(?:(?P<inner>[^{}\n]*)\}\})?")
_NAME = re.compile(r"[A-Za-z_][\w-]*")


@dataclass(frozen=True, slots=True)
class TemplateText:
    """`source` is what the file has; `pieces` are literal texts and, at odd positions, names of variables."""

    source: str = ""
    pieces: tuple[str, ...] = ("",)

    def __bool__(self) -> bool:
        return bool(self.source)

    @property
    def names(self) -> tuple[str, ...]:
        """The variables, each once, in their order."""
        return tuple(dict.fromkeys(self.pieces[1::2]))

    def fill(self, values: Mapping[str, str]) -> str:
        """The text with these values. Each variable has one."""
        return "".join(values[piece] if number % 2 else piece for number, piece in enumerate(self.pieces))


def parse_text(source: str, where: str, first_line: int = 1, first_column: int = 1) -> TemplateText:
    """Read a text that begins at this line of the file `where`.

    Raises:
        UsageError: something in double braces isn't a variable; the message has the line and the column.
    """
    pieces = [""]
    end = 0
    for found in _BRACES.finditer(source):
        slashes = len(found["slashes"])
        pieces[-1] += source[end : found.start()] + "\\" * (slashes // 2)
        if slashes % 2:
            pieces[-1] += "{{"
            end = found.start() + slashes + 2
            if found["inner"] is not None:
                pieces[-1] += source[end : found.end()]
                end = found.end()
            continue
        name = (found["inner"] or "").strip()
        if not _NAME.fullmatch(name):
            begin = found.start() + slashes
            before = source[:begin]
            line = first_line + before.count("\n")
            column = begin - before.rfind("\n") + (first_column - 1 if "\n" not in before else 0)
            quoted = source[begin:].partition("\n")[0].partition("}}")
            raise UsageError(
                f"{where}, line {line}, column {column}: {(quoted[0][:40] + quoted[1])} isn't a variable.",
                "Write {{name}}; templates have no logic. A literal {{ is written \\{{.",
            )
        pieces += [name, ""]
        end = found.end()
    pieces[-1] += source[end:]
    return TemplateText(source, tuple(pieces))


def escape(text: str) -> str:
    r"""The source of a literal text: each `{{` becomes `\{{`."""
    return re.sub(r"(?<!\\)(\\*)\{\{", lambda found: found[1] * 2 + r"\{{", text)
