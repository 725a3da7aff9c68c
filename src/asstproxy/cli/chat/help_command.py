"""`/help`: the keys and commands by groups, or what one command does; through the pager if that is longer than the screen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rich.text import Text

from ...core.errors import UsageError
from ...core.near_names import near_names
from ..pager import paged
from ..render.theme import console
from .chat_protocol import ChatCommands
from .help_text import help_lines
from .terminal_handover import with_terminal

__all__ = ["no_such_command", "show_help"]


async def show_help(chat: ChatCommands, name: str, commands: Mapping[str, str]) -> None:
    """Show what there is; `commands` are the words for each of them.

    Raises:
        UsageError: no command has that name.
    """
    name = name.removeprefix("/")
    if name:
        _explain(chat, name, commands)
        return
    more = ""
    if chat.opened.profile.options.get("mcp"):
        more = "/SERVER:PROMPT name=value sends a prompt of an MCP server; Tab lists them."
    width = chat.console.width
    lines = [Text.assemble((label, "bold"), line) for label, line in help_lines(commands, width, more=more)]

    def print_lines() -> None:
        shown = console()
        with paged() as stream:
            shown.file = stream
            for line in lines:
                shown.print(line)

    await with_terminal(chat.signals, print_lines)


def no_such_command(name: str, commands: Iterable[str], more: str = "") -> UsageError:
    """The error that none of these commands has this name; its hint ends with `more`."""
    near = near_names(name, commands)
    meant = f"Did you mean /{near[0]}?" if near else "/help lists the commands."
    return UsageError(f"No such command: /{name}.", f"{meant} {more}".rstrip())


def _explain(chat: ChatCommands, name: str, commands: Mapping[str, str]) -> None:
    if name not in commands:
        raise no_such_command(name, commands)
    chat.console.print(Text.assemble((f"/{name}", "bold"), f"  {commands[name]}"))
