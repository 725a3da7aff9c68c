"""What the commands of the chat may see and do of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from rich.console import Console

from ...core.attachment import AttachedFile, Attachment
from ...store.transcript import Transcript
from ..conversation_setup import OpenConversation
from ..event_loop import Signals
from ..options import ConversationOptions
from .pending_files import PendingFiles
from .turn_screen import TurnScreen

if TYPE_CHECKING:
    from ...tools.schema_source import ChosenSchema

__all__ = ["ChatCommands", "Command"]


class ChatCommands(Protocol):
    """What a command may see and do of the chat."""

    opened: OpenConversation
    console: Console
    leaving: bool
    """Set it to end the chat."""
    next_options: ConversationOptions | None
    """Set it, and `leaving`, to continue with another session."""
    show_events: bool
    """Whether every step is printed as JSON, too."""
    schema: ChosenSchema | None
    """What answers must fit."""
    files: PendingFiles
    """What goes with the next message."""
    draft: str
    """What the next prompt begins with."""
    edits_last: bool
    """Whether the draft is the last message, to be edited."""
    signals: Signals
    screen: TurnScreen
    """How turns are drawn, and what is known of the last one."""

    @property
    def transcript(self) -> Transcript:
        """The session so far."""

    def say(self, line: str) -> None:
        """Print one line that is not part of the conversation."""

    def warn(self, line: str) -> None:
        """Print one line about something that is missing."""

    async def exchange(self, text: str, attachments: Sequence[AttachedFile | Attachment] = ()) -> None:
        """Hold one exchange."""

    async def retry(
        self,
        text: str,
        attachments: Sequence[AttachedFile | Attachment] = (),
        schema: Mapping[str, Any] | None = None,
    ) -> None:
        """Hold the last exchange again, whose message is `text` with these `attachments`; its answer must fit `schema`."""


Command = Callable[[ChatCommands, str], Awaitable[None]]
"""Takes the chat, and the text after the command's name."""
