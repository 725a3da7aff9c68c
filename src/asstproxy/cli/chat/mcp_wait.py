"""The MCP servers of a chat start behind the prompt: the first message waits for them, for a while."""

from __future__ import annotations

import asyncio

from msgspec.structs import replace

from ..offered_tools import OfferedTools
from .chat_protocol import ChatCommands
from .waiting import show_while, stopping

__all__ = ["PATIENCE", "take_in_servers"]

PATIENCE = 30.0
"""Seconds that a message waits for MCP servers."""


async def take_in_servers(chat: ChatCommands) -> bool:
    """Offer the tools of MCP servers, once they have started. False: Ctrl-C ended the wait, and nothing should be sent."""
    tools, conversation = chat.opened.tools, chat.opened.conversation
    if tools.waits and tools.toolbox is not None and not await _waited(chat, tools):
        return False
    if tools.take_in():
        conversation.configure(replace(conversation.configured, tools=tuple(chat.opened.user.tools)))
    for notice in tools.new_notices():
        chat.warn(notice)
    if tools.waits:
        tools.waits = False
        names = _starting(tools)
        chat.warn(
            f"{_named(names)} {'is' if len(names) == 1 else 'are'} not ready after {PATIENCE:.0f} s. "
            f"This message goes without {'its' if len(names) == 1 else 'their'} tools."
        )
    return True


async def _waited(chat: ChatCommands, tools: OfferedTools) -> bool:
    assert tools.toolbox is not None  # noqa: S101 - checked by the caller
    task = asyncio.ensure_future(tools.toolbox.started(PATIENCE))

    def line(seconds: float) -> str:
        return f"Waiting for {_named(_starting(tools))} · {seconds:.0f} s of {PATIENCE:.0f} s · Ctrl-C stops"

    with stopping(chat, task.cancel):
        await show_while(chat, task, line, after=0.1)
    if task.cancelled():
        chat.say("Stopped. Your message was not sent.")
        return False
    task.result()
    return True


def _starting(tools: OfferedTools) -> list[str]:
    return [state.name for state in tools.servers if state.phase == "starting"]


def _named(names: list[str]) -> str:
    return f"MCP server{'' if len(names) == 1 else 's'} {', '.join(names)}"
