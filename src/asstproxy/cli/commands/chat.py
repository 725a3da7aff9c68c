"""`asst chat`: its options and help."""

from __future__ import annotations

from typing import Annotated

import typer

from ..options import ConversationOptions, takes_conversation_options

__all__ = ["chat"]


@takes_conversation_options
def chat(
    options: ConversationOptions,
    message: Annotated[list[str] | None, typer.Argument(help="A message to begin with.")] = None,
) -> None:
    """Chat, and see every step of the script. /help lists the commands."""
    from ..chat.repl import chat
    from ..event_loop import run

    raise typer.Exit(run(lambda signals: chat(options, " ".join(message or []), signals)))
