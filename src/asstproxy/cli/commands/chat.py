"""`asst chat`: its options and help."""

from __future__ import annotations

import typer

from ..options import ConversationOptions, takes_conversation_options

__all__ = ["chat"]


@takes_conversation_options
def chat(options: ConversationOptions) -> None:
    """Chat, and see every step of the script. /help lists the commands."""
    from ..chat.repl import chat
    from ..event_loop import run

    raise typer.Exit(run(lambda signals: chat(options, signals)))
