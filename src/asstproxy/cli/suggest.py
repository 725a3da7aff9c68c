"""Names that were probably meant, and the groups of commands that suggest them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from typer.core import TyperGroup

__all__ = ["SuggestingGroup", "near_names"]


def near_names(typed: str, names: Iterable[str]) -> list[str]:
    """The names that are one slip away (two in a long word): a letter wrong, missing, too many, or two swapped. Nearest first."""
    slips = 1 if len(typed) < 6 else 2
    found = sorted((_distance(typed.lower(), name), name) for name in names if abs(len(name) - len(typed)) <= slips)
    return [name for distance, name in found if distance <= slips]


def _distance(a: str, b: str) -> int:
    """How many slips turn one word into the other (optimal string alignment)."""
    before, row = [0] * (len(b) + 1), list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, before, row = before, row, [i]
        for j, y in enumerate(b, 1):
            row.append(min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != y)))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                row[j] = min(row[j], last[j - 2] + 1)
    return row[-1]


class SuggestingGroup(TyperGroup):
    """Suggests a command only when the typed one is near; typer suggests `chat` for `cat food`."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{**settings, "suggest_commands": False})

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the arguments name, or an error that says which one was probably meant."""
        name = args[0]
        if name.startswith("-") or self.get_command(ctx, name) is not None:
            return super().resolve_command(ctx, args)
        near = near_names(name, self.list_commands(ctx))
        return ctx.fail(f"No such command '{name}'. {self.hint(args, near)}".rstrip())

    def hint(self, args: list[str], near: list[str]) -> str:  # noqa: ARG002 - for groups that know more
        """What was probably meant."""
        return f"Did you mean '{near[0]}'?" if near else ""
