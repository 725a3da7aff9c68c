"""`/copy` and `/edit`: taking an answer away, and writing a message in the editor."""

from __future__ import annotations

import asyncio
from functools import partial

from ...core.errors import UsageError
from ...store.transcript import ExchangeEntry
from ...text.safe_text import clean_line
from ..editor import edit_text
from .chat_protocol import ChatCommands
from .clipboard import copy_to_clipboard
from .code_blocks import code_blocks
from .last_message import last_message
from .terminal_handover import with_terminal

__all__ = ["copy", "edit"]

_MOST_FOR_TERMINAL = 74_000
"""Bytes that most terminals take with OSC 52."""


async def copy(chat: ChatCommands, number: str) -> None:
    """Copy the last answer, or its N-th code block.

    Raises:
        UsageError: no answer has come yet, or it has no such block.
    """
    entry = _last_answer(chat)
    text, what = entry.answer, "the answer"
    if number:
        blocks = code_blocks(entry.answer)
        if not number.isdecimal() or not 1 <= int(number) <= len(blocks):
            has = f"{len(blocks)} code block{'' if len(blocks) == 1 else 's'}" if blocks else "no code block"
            raise UsageError(f"The last answer has {has}.", "Copy one: /copy 1" if blocks else "Copy all of it: /copy")
        text = blocks[int(number) - 1].code
        language = clean_line(blocks[int(number) - 1].language)
        what = f"code block {int(number)}{f' ({language})' if language else ''}"
    lines = text.count("\n") + 1
    copied = await asyncio.to_thread(copy_to_clipboard, text, chat.console.file)
    done = f"Copied {what}: {lines:,} line{'' if lines == 1 else 's'}"
    if copied.certain:
        chat.say(f"{done}.")
        return
    chat.say(f"{done}, if your terminal lets programs set its clipboard (OSC 52).")
    if len(text.encode("utf-8", "replace")) > _MOST_FOR_TERMINAL:
        chat.say("It may be too long for your terminal. To write it to a file: /save FILE")


def _last_answer(chat: ChatCommands) -> ExchangeEntry:
    entries = (entry for entry in reversed(chat.transcript.exchanges) if entry.answer and not entry.withdrawn)
    entry = next(entries, None)
    if entry is None:
        raise UsageError("Nothing to copy: no answer yet.")
    return entry


async def edit(chat: ChatCommands, _: str) -> None:
    """Edit the last message in the editor; without one, write a new one there. It comes back into the prompt.

    Raises:
        NotSetUpError: no editor is found, or it failed.
    """
    last = last_message(chat)
    chat.draft = await with_terminal(chat.signals, partial(edit_text, last or ""))
    chat.edits_last = last is not None and bool(chat.draft)
