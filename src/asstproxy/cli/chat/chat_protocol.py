"""What the commands of the chat may see and do of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from rich.console import Console

from ...core.attachment import Attachment
from ...store.transcript import Transcript
from ..conversation_setup import OpenConversation
from ..event_loop import Signals
from .pending_files import PendingFiles

__all__ = ["ChatCommands", "Command"]


class ChatCommands(Protocol):
    """What a command may see and do of the chat."""

    opened: OpenConversation
    console: Console
    leaving: bool
    """Set it to end the chat."""
    show_events: bool
    """Whether every step is printed as JSON, too."""
    files: PendingFiles
    """What goes with the next message."""
    signals: Signals

    @property
    def transcript(self) -> Transcript:
        """The session so far."""

    def say(self, line: str) -> None:
        """Print one line that is not part of the conversation."""

    def warn(self, line: str) -> None:
        """Print one line about something that is missing."""

    async def exchange(self, text: str) -> None:
        """Hold one exchange."""

    async def retry(self, text: str, attachments: Sequence[Attachment] = ()) -> None:
        """Hold the last exchange again, whose message is `text` with these `attachments`."""


Command = Callable[[ChatCommands, str], Awaitable[None]]
"""Takes the chat, and the text after the command's name."""
