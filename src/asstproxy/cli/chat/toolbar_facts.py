"""What the toolbar says of a chat."""

from __future__ import annotations

import shutil

from prompt_toolkit.formatted_text import StyleAndTextTuples

from ..context_meter import context_use, window_of
from .chat_protocol import ChatCommands
from .greeting import short_id
from .toolbar import Meter, Toolbar, toolbar_text

__all__ = ["toolbar_of"]


def toolbar_of(chat: ChatCommands) -> StyleAndTextTuples:
    """The toolbar of this chat, as wide as the terminal."""
    opened = chat.opened
    configured = opened.conversation.configured
    turns = chat.transcript.exchanges
    screen = chat.screen
    if turns and opened.session is not None and not screen.short_id:
        screen.short_id = short_id(chat)  # once: it reads the folder of all sessions
    toolbar = Toolbar(
        configured.profile,
        configured.model or opened.conversation.assistant.model,
        tools=opened.tools.count,
        servers=_servers(chat),
        meter=_meter(chat),
        cost=_cost(chat),
        session=screen.short_id or ("new session" if opened.session is not None else ""),
    )
    return toolbar_text(toolbar, shutil.get_terminal_size().columns)


def _meter(chat: ChatCommands) -> Meter:
    conversation = chat.opened.conversation
    if not conversation.history.exchanges:
        return Meter()
    window = window_of(conversation.assistant) or chat.screen.window
    use = context_use(chat.transcript.exchanges, conversation.history, window)
    return Meter(use.tokens, use.window, use.estimated)


def _servers(chat: ChatCommands) -> list[tuple[str, str]]:
    """MCP servers that are not ready: still starting, or failed."""
    states = chat.opened.tools.servers
    starting = [("class:toolbar", f"starting {one.name}…") for one in states if one.phase == "starting"]
    failed = [("class:toolbar.warning", f"{one.name} failed · /tools") for one in states if one.phase == "failed"]
    return starting + failed


def _cost(chat: ChatCommands) -> str:
    cost = chat.screen.cost
    if cost is None or not cost:
        return ""
    if cost.priced:
        return str(cost)
    return "price ?" if cost.unknown else ""
