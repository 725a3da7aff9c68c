"""`asst chat`: its options and help."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from ..options import ConversationOptions, completions, on_command_line, takes_conversation_options

__all__ = ["COMMAND_CLASS", "chat"]


class COMMAND_CLASS(TyperCommand):  # noqa: N801 - a constant for `cli/app.py`
    """`-r` may stand alone: then a session is picked."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Give a `-r` without an id an empty one."""
        for number, argument in enumerate(args):
            if argument == "--":
                break
            if argument in ("-r", "--resume") and (number + 1 == len(args) or args[number + 1].startswith("-")):
                args[number] = "--resume="
        return super().parse_args(ctx, args)


@takes_conversation_options
def chat(
    options: ConversationOptions,
    context: typer.Context,
    message: Annotated[list[str] | None, typer.Argument(help="A message to begin with.")] = None,
    resume: Annotated[
        str | None,
        typer.Option(
            "--resume",
            "-r",
            help="Pick a session to continue, or continue this one.",
            metavar="[SESSION]",
            autocompletion=lambda incomplete: completions().sessions(incomplete),
        ),
    ] = None,
    no_toolbar: Annotated[bool, typer.Option("--no-toolbar", help="No line below the prompt.")] = False,
) -> None:
    """Chat, and see every step of the script. /help lists the commands."""
    from ..chat.error_lines import ErrorLines
    from ..chat.repl import chat
    from ..error_output import errors_drawn
    from ..event_loop import run
    from ..render.prompt_marks import prompt_marks
    from ..render.theme import console

    if no_toolbar:
        from ..look import choose

        choose(toolbar=False)
    words, applied = " ".join(message or []), None
    if options.template or options.values:
        from ..templates.apply import apply_template

        applied = apply_template(options, on_command_line(context))
    with errors_drawn(ErrorLines(console())), prompt_marks():
        code = run(lambda signals: chat(options, words, signals, applied, resume=resume))
    raise typer.Exit(code)
