"""Editing the last message: brought back with Up or `/edit`, it replaces the last turn or is asked again."""

from __future__ import annotations

from collections.abc import Sequence

from ...core.attachment import AttachedFile, Attachment
from ...store.transcript import last_sent
from .chat_protocol import ChatCommands
from .choice import choose

__all__ = ["attachments_with", "last_message", "replace_or_repeat"]


def last_message(chat: ChatCommands) -> str | None:
    """The last message that the assistant still sees; None if there is none."""
    entry = last_sent(chat.transcript)
    return entry.user if entry is not None and chat.opened.conversation.history.exchanges else None


async def replace_or_repeat(chat: ChatCommands, line: str) -> str:
    """Whether the edited message shall `replace` the last turn, or be sent `again`; empty: back to the prompt with it."""
    if last_message(chat) is None:
        return "again"
    how = await choose("Replace the last turn, or ask again?", ("replace", "again"))
    if not how:
        chat.draft, chat.edits_last = line, True
    return how


def attachments_with(chat: ChatCommands, files: Sequence[AttachedFile]) -> list[AttachedFile | Attachment]:
    """The files of the last message, and these, each once."""
    entry = last_sent(chat.transcript)
    new = {file.attachment.sha256 for file in files}
    kept = [one for one in entry.attachments if one.sha256 not in new] if entry is not None else []
    return [*kept, *files]
