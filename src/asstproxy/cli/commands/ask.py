"""`asst ask`: its options and help."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from ..options import ConversationOptions, Quiet, takes_conversation_options

__all__ = ["ask"]


@takes_conversation_options
def ask(
    options: ConversationOptions,
    prompt: Annotated[
        list[str] | None, typer.Argument(help="The message. Text piped in is appended; - waits for it, however long.")
    ] = None,
    retry: Annotated[
        bool, typer.Option("--retry", help="Ask the last message of the session again (-c is the default).")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object at the end.")] = False,
    events: Annotated[bool, typer.Option("--events", help="Print every step as a JSON line.")] = False,
    raw: Annotated[
        bool, typer.Option("--raw", help="Send control characters in the answer to the terminal, unfiltered.")
    ] = False,
    schema: Annotated[
        str,
        typer.Option(
            "--schema",
            help='Answer with JSON that fits this schema: "name, age int: in years", a JSON Schema (a file or the text), or '
            "module:Class.",
        ),
    ] = "",
    schema_multi: Annotated[str, typer.Option("--schema-multi", help='The same for a list: {"items": [\u2026]}.')] = "",
    quiet: Quiet = False,
    no_stdin: Annotated[bool, typer.Option("--no-stdin", help="Don't read stdin.")] = False,
) -> None:
    """Ask once. Stdout is the answer and nothing else."""
    from ...core.warnings import quieten_warnings
    from ..attach import STDIN, read_stdin_attachment
    from ..event_loop import run
    from ..one_exchange import Output, ask, ask_again
    from ..schema_option import schema_of
    from ..standard_streams import require_stdout
    from ..stdin import read_prompt

    require_stdout()
    chosen = schema_of(schema, schema_multi)
    output = Output(json=json, events=events, raw=raw, quiet=quiet)
    if quiet:
        quieten_warnings()
    words = prompt or []
    if retry:
        raise typer.Exit(run(lambda signals: ask_again(words, options, output, signals, chosen)))
    # Before there is a loop, so that signals end it.
    sources, stdin = options.attach or [], None if no_stdin else sys.stdin
    attached = read_stdin_attachment(sources, stdin)
    message = read_prompt(words, None if STDIN in sources else stdin, may_be_empty=bool(sources))
    raise typer.Exit(run(lambda signals: ask(message, options, output, signals, attached, chosen)))
