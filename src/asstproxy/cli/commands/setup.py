"""`asst setup`: a group whose commands are made when one of them is run, so that no other command of asst pays for them."""

from __future__ import annotations

from typing import Any

import typer

from .. import completion
from ..suggest import ListingGroup

__all__ = ["setup"]


class SetupGroup(ListingGroup):
    """The verbs (`list`, `show`, …), and one command for each provider that is installed."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - Typer's signature
        """Every name, providers first."""
        from ..setup.commands import command_names

        return command_names()

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of this name; while the shell completes names, without its options: no provider is imported then."""
        from ..setup.commands import bare_command, build_command

        return bare_command(cmd_name) if ctx.resilient_parsing else build_command(cmd_name)

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        """What the shell offers after Tab: the names of vendors, too, once the first letter is typed."""
        from click.shell_completion import CompletionItem

        offers = completion.vendors(incomplete) if incomplete else []
        return [*super().shell_complete(ctx, incomplete), *(CompletionItem(name, help=what) for name, what in offers)]

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """The command that the first argument names.

        Raises:
            UsageError: there is none of this name.
        """
        from ..setup.commands import build_command, unknown_command

        command = build_command(args[0])
        if command is None and not ctx.resilient_parsing:
            raise unknown_command(args[0])
        return (args[0] if command else None), command, args[1:]


setup = typer.Typer(
    cls=SetupGroup,
    help="Create, check and change profiles. A profile is a saved assistant. Without a command, asst asks. "
    "A vendor's name is a command, too: asst setup groq.",
    invoke_without_command=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@setup.callback()
def ask_which(context: typer.Context) -> None:
    """Create, check and change profiles. A profile is a saved assistant. Without a command, asst asks."""
    if context.invoked_subcommand is None:
        from ..setup.line_prompt import GoBack
        from ..setup.prompts import erase_to, rows_printed
        from ..setup.which import choose_provider
        from ..setup.wizard import setup

        while True:
            rows = rows_printed()
            try:
                setup(choose_provider(), has_before=True)
            except GoBack:
                erase_to(rows)
                continue
            break
