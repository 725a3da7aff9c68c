"""Groups of commands: whole sentences in their help, and the name that was probably meant."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from typer.core import TyperGroup

__all__ = ["ListingGroup", "SuggestingGroup"]

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


class SuggestingGroup(ListingGroup):
    """Suggests a command only when the typed one is near; typer suggests `chat` for `cat food`."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{**settings, "suggest_commands": False})

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the arguments name, or an error that says which one was probably meant."""
        name = args[0]
        if name.startswith("-") or self.get_command(ctx, name) is not None:
            return super().resolve_command(ctx, args)
        from ..core.near_names import near_names

        near = near_names(name, self.list_commands(ctx))
        return ctx.fail(f"No such command '{name}'. {self.hint(args, near)}".rstrip())

    def invoke(self, ctx: Any) -> Any:
        """Run the command. An error of its options that doesn't know its command gets it, so that the right help is named."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            if getattr(error, "ctx", ctx) is None and ctx.invoked_subcommand:
                found: Any = error
                found.ctx = SimpleNamespace(command_path=f"{ctx.command_path} {ctx.invoked_subcommand}")
            raise

    def hint(self, args: list[str], near: list[str]) -> str:  # noqa: ARG002 - for groups that know more
        """What was probably meant."""
        return f"Did you mean '{near[0]}'?" if near else ""
