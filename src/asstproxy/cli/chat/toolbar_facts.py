"""What the toolbar says of a chat."""

from __future__ import annotations

import shutil

from prompt_toolkit.formatted_text import StyleAndTextTuples

from ...core.history import AssistantMessage, ToolOutputs, UserMessage
from ...store.transcript import ExchangeEntry
from .chat_protocol import ChatCommands
from .greeting import short_id
from .toolbar import Meter, Toolbar, toolbar_text

__all__ = ["toolbar_of"]

_CHARACTERS = 4
"""Characters of a token, where no server reports tokens."""


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
        tools=len(opened.user.tools),
        meter=_meter(chat),
        cost=_cost(chat),
        session=screen.short_id or ("new session" if opened.session is not None else ""),
    )
    return toolbar_text(toolbar, shutil.get_terminal_size().columns)


def _meter(chat: ChatCommands) -> Meter:
    """From what the server reported for the last request; after a cut, and without a report, an estimate."""
    history = chat.opened.conversation.history
    if not history.exchanges:
        return Meter()
    window = getattr(chat.opened.conversation.assistant, "context", None) or chat.screen.window
    last: ExchangeEntry | None = next(iter(reversed(chat.transcript.exchanges)), None)
    if last is not None and last.requests and not last.withdrawn:
        request = last.requests[-1]
        return Meter(request.input + request.output, window)
    characters = 0
    for item in (item for exchange in history.exchanges for item in exchange):
        match item:
            case UserMessage(text=text) | AssistantMessage(text=text):
                characters += len(text)
            case ToolOutputs(results=results):
                characters += sum(len(result.output) for result in results)
    return Meter(characters // _CHARACTERS, window, estimated=True)


def _cost(chat: ChatCommands) -> str:
    cost = chat.screen.cost
    if cost is None or not cost:
        return ""
    if cost.priced:
        return str(cost)
    return "price ?" if cost.unknown else ""
