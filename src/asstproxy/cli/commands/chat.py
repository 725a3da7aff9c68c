"""`asst chat`: its options and help."""

from __future__ import annotations

from typing import Annotated

import typer

from ..options import ConversationOptions, on_command_line, takes_conversation_options

__all__ = ["chat"]


@takes_conversation_options
def chat(
    options: ConversationOptions,
    context: typer.Context,
    message: Annotated[list[str] | None, typer.Argument(help="A message to begin with.")] = None,
) -> None:
    """Chat, and see every step of the script. /help lists the commands."""
    from ..chat.repl import chat
    from ..event_loop import run

    words = " ".join(message or [])
    if not (options.template or options.values):
        raise typer.Exit(run(lambda signals: chat(options, words, signals)))
    from ..templates.apply import apply_template

    applied = apply_template(options, on_command_line(context))
    raise typer.Exit(run(lambda signals: chat(options, words, signals, applied)))
