"""What the toolbar says of a chat."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator

from prompt_toolkit.application import get_app
from prompt_toolkit.formatted_text import StyleAndTextTuples

from ..context_meter import context_use
from .chat_protocol import ChatCommands
from .greeting import short_id
from .toolbar import Meter, Toolbar, toolbar_text

__all__ = ["toolbar_of"]

_TICK = 0.25
"""Seconds until the line is drawn again, while MCP servers start."""


def toolbar_of(chat: ChatCommands) -> StyleAndTextTuples:
    """The toolbar of this chat, as wide as the terminal."""
    opened, screen = chat.opened, chat.screen
    configured = opened.conversation.configured
    if chat.transcript.exchanges and opened.session is not None and not screen.short_id:
        screen.short_id = short_id(chat)  # once: it reads the folder of all sessions
    if any(server.phase == "starting" for server in opened.tools.servers):
        asyncio.get_running_loop().call_later(_TICK, get_app().invalidate)
    toolbar = Toolbar(
        configured.profile,
        configured.model or opened.conversation.assistant.model,
        tools=opened.tools.count,
        servers=list(_servers(chat)),
        meter=_meter(chat),
        cost=_cost(chat),
        session=screen.short_id or ("new session" if opened.session is not None else ""),
    )
    return toolbar_text(toolbar, shutil.get_terminal_size().columns)


def _servers(chat: ChatCommands) -> Iterator[tuple[str, str]]:
    for server in chat.opened.tools.servers:
        if server.phase == "starting":
            yield "class:toolbar", f"starting {server.name}…"
        elif server.phase == "failed":
            yield "class:toolbar.warning", f"{server.name} failed · /tools"


def _meter(chat: ChatCommands) -> Meter:
    history = chat.opened.conversation.history
    if not history.exchanges:
        return Meter()
    window = getattr(chat.opened.conversation.assistant, "context", None) or chat.screen.window
    use = context_use(chat.transcript.exchanges, history, window)
    return Meter(use.tokens, use.window, use.estimated)


def _cost(chat: ChatCommands) -> str:
    cost = chat.screen.cost
    if cost is None or not cost:
        return ""
    if cost.priced:
        return str(cost)
    return "price ?" if cost.unknown else ""
