"""`/tools`: the tools of the chat, when each runs, and the change of that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from msgspec.structs import replace
from rich.cells import cell_len

from ...core.errors import UsageError
from ...core.near_names import near_names
from ...text.call_text import call_line
from ...tools import Tool
from ..offered_tools import Approval
from ..render.truncate import pad, truncate
from .chat_protocol import ChatCommands

__all__ = ["source_words", "tools_command"]

_NAME = 28
_FROM = 24


async def tools_command(chat: ChatCommands, argument: str) -> None:
    """List the tools; with a name, say when that tool runs, and with `ask`, `allow` or `block`, change that.

    Raises:
        UsageError: the tool or the word is unknown.
    """
    tools = chat.opened.tools
    if tools.take_in():
        _announce(chat)
    if argument:
        name, _, word = argument.partition(" ")
        _one_tool(chat, name, word.strip())
        return
    rows = [(call_line(t.name), source_words(t), _words(chat, t), _about(t)) for t in tools.all]
    for line in _table([("Tool", "From", "Runs", "What it does"), *rows], chat.console.width) if rows else ():
        chat.say(line)
    for state in tools.servers:
        if state.phase == "starting":
            chat.say(f"MCP server {state.name} is starting. Its tools come with the next message.")
        elif state.phase == "failed":
            chat.warn(f"{state.error} Its tools are missing.")
    if rows:
        chat.say(f"Change one: /tools {rows[-1][0]} ask · allow · block")
    elif not tools.servers:
        chat.say("No tools. To offer some: asst chat -t package.module:function")


def _one_tool(chat: ChatCommands, name: str, word: str) -> None:
    tools = chat.opened.tools
    if word and word not in get_args(Approval):
        near = near_names(word, get_args(Approval))
        raise UsageError(
            f'"{word}" isn\'t ask, allow or block.',
            f"Did you mean {near[0]}? /tools {name} {near[0]}" if near else f"For example: /tools {name} ask",
        )
    if word:
        tools.change(name, word)  # type: ignore[arg-type]  # it is one of them
        _announce(chat)
    words = _words(chat, tools.named(name))
    more = ", in this session." if word else f" · change that: /tools {call_line(name)} ask · allow · block"
    chat.say(f"{call_line(name)}: {'blocked' if words == 'blocked' else f'runs {words}'}{more}")


def _words(chat: ChatCommands, tool: Tool) -> str:
    words = chat.opened.tools.approval(tool)
    return "without asking" if words == "after asking" and chat.opened.options.yes else words


def _announce(chat: ChatCommands) -> None:
    """Let the session say which tools are offered from now on."""
    conversation = chat.opened.conversation
    conversation.configure(replace(conversation.configured, tools=tuple(chat.opened.user.tools)))


def source_words(tool: Tool) -> str:
    """Where a tool comes from: a file, an MCP server, a module."""
    source = call_line(tool.source)
    if source.startswith("mcp:"):
        return f"MCP {source.removeprefix('mcp:')}"
    return source.rpartition(":")[0].rpartition("/")[2] or source


def _about(tool: Tool) -> str:
    return call_line(tool.description.partition("\n")[0])


def _table(rows: Sequence[tuple[str, str, str, str]], width: int) -> list[str]:
    """Columns with two spaces between them. In a narrow terminal, what a tool does is cut, then left out."""
    name = min(max(cell_len(row[0]) for row in rows), _NAME if width >= 80 else 20)
    place = min(max(cell_len(row[1]) for row in rows), _FROM if width >= 80 else 16)
    lines = []
    for row in rows:
        line = f"{pad(truncate(row[0], name), name)}  {pad(truncate(row[1], place), place)}  {pad(row[2], 14)}"
        room = width - cell_len(line) - 2
        lines.append(f"{line}  {truncate(row[3], room)}".rstrip() if room >= 12 else line.rstrip())
    return lines
