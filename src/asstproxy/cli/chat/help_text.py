"""What `/help` says: each key and each command of the chat once, by groups."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterator

__all__ = ["GROUPS", "help_lines"]

GROUPS: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    "Write": (
        ("Enter send", "Alt-Enter new line", "Ctrl-X Ctrl-E editor", "Ctrl-R find"),
        {"edit": "last message", "attach": "FILE", "retry": "", "undo": "", "clear": "", "compact": ""},
    ),
    "Answers": (
        (),
        {
            "copy": "[N] answer or code block",
            "save": "FILE",
            "thoughts": "",
            "states": "",
            "call": "[N]",
            "usage": "",
            "schema": "FIELDS",
        },
    ),
    "Who": (
        (),
        {
            "profile": "NAME",
            "model": "NAME",
            "system": "TEXT",
            "set": "key=value",
            "compare": "PROFILE",
            "tools": "",
        },
    ),
    "Sessions": (
        (),
        {
            "sessions": "pick",
            "search": "WORDS",
            "show": "",
            "session": "",
            "rename": "TITLE",
            "fork": "[N]",
            "rewind": "N",
            "export": "FILE",
            "events": "steps as JSON",
        },
    ),
    "Leave": (("/quit or Ctrl-D", "Ctrl-C stops an answer", "Ctrl-Z suspends"), {}),
}
"""By group: its keys, and its commands with what may follow each, or what it does."""

_ELSEWHERE = frozenset({"help", "quit"})
_MARGIN = 10


def help_lines(commands: Collection[str], width: int, *, more: str = "") -> Iterator[tuple[str, str]]:
    """The groups with those of these commands, each a label and a line; `more` is one more sentence at the end."""
    listed = {name for _, group in GROUPS.values() for name in group} | _ELSEWHERE
    groups = {name: (keys, dict(group)) for name, (keys, group) in GROUPS.items()}
    if others := [name for name in commands if name not in listed]:
        groups["More"] = ((), dict.fromkeys(others, ""))
    for label, (keys, group) in groups.items():
        own = [f"/{name} {rest}".strip() for name, rest in group.items() if name in commands]
        lines = [line for parts in (keys, own) for line in _joined(parts, width - _MARGIN)]
        for number, line in enumerate(lines):
            yield (label if number == 0 else "").ljust(_MARGIN), line
    sentences = f"/help COMMAND explains one. {more} A message that begins with a slash: //like this".split()
    for line in textwrap.wrap(" ".join(sentences), max(width, 20)):
        yield "", line


def _joined(parts: Collection[str], width: int) -> list[str]:
    """The parts with dots between them, in lines of this width."""
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + 3 + len(part) <= width:
            lines[-1] += f" · {part}"
        else:
            lines.append(part)
    return lines
