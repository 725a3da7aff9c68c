"""Groups of commands whose help says in a whole sentence what each command does, however narrow the terminal."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup

__all__ = ["ListingGroup"]

_ENDLESS = 1_000


class ListingGroup(TyperGroup):
    """Folds the sentences; click would cut them off."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """The names of the commands, each with its first sentence."""
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        rows = [
            (name, one.get_short_help_str(_ENDLESS)) for name, one in commands if one is not None and not one.hidden
        ]
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)
