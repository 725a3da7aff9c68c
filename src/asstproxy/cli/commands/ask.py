"""`asst ask`: its options and help."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from ..options import ConversationOptions, Quiet, not_empty, on_command_line, takes_conversation_options

__all__ = ["ask"]


@takes_conversation_options
def ask(
    options: ConversationOptions,
    context: typer.Context,
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
            callback=not_empty,
            help='Answer with JSON that fits this schema: "name, age int: in years", a JSON Schema (a file or the text), or '
            "module:Class.",
        ),
    ] = "",
    schema_multi: Annotated[
        str, typer.Option("--schema-multi", callback=not_empty, help='The same for a list: {"items": [\u2026]}.')
    ] = "",
    quiet: Quiet = False,
    output_file: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE", help="Save the complete answer in this file, too.")
    ] = None,
    extract: Annotated[
        bool, typer.Option("--extract", "-x", help="Print only the first code block of the answer.")
    ] = False,
    extract_last: Annotated[
        bool, typer.Option("--extract-last", help="Print only the last code block of the answer.")
    ] = False,
    cost: Annotated[bool, typer.Option("--cost", help="Print tokens and cost on stderr; with --json, in it.")] = False,
    models: Annotated[bool, typer.Option("--models", help="List the models of the profile, and ask nothing.")] = False,
    no_stdin: Annotated[bool, typer.Option("--no-stdin", help="Don't read stdin.")] = False,
    save_template: Annotated[
        str,
        typer.Option(
            "--save-template",
            metavar="NAME",
            callback=not_empty,
            help="Save this command line as a template, and don't ask.",
        ),
    ] = "",
) -> None:
    """Ask once. Stdout is the answer and nothing else."""
    from ...core.warnings import quieten_warnings
    from ..event_loop import run
    from ..one_exchange import Output, ask, ask_again
    from ..standard_streams import require_stdout
    from ..stdin import read_prompt

    require_stdout()
    chosen = None
    if schema or schema_multi:
        from ..schema_option import schema_of

        chosen = schema_of(schema, schema_multi)
    if models:
        from ..model_table import print_models

        raise typer.Exit(run(lambda _: print_models(options.profile, as_json=json)))
    file = None
    if output_file is not None:
        from ..answer_file import output_path

        file = output_path(output_file)
    output = Output(
        json=json,
        events=events,
        raw=raw,
        quiet=quiet,
        file=file,
        extract="last" if extract_last else "first" if extract else None,
        cost=cost,
        schema=chosen is not None,
    )
    if quiet:
        quieten_warnings()
    words = prompt or []
    if save_template:
        from ..templates.save import save_command_line

        save_command_line(save_template, words, options, chosen, given=on_command_line(context))
        return
    if retry:
        raise typer.Exit(run(lambda signals: ask_again(words, options, output, signals, chosen)))
    applied = None
    if options.template or options.values:
        from ..templates.apply import apply_template

        applied = apply_template(options, on_command_line(context))
        options, chosen = applied.options, chosen or applied.schema
    # Before there is a loop, so that signals end it.
    sources, stdin, attached = options.attach or [], None if no_stdin else sys.stdin, None
    if "-" in sources:
        from ..attach import read_stdin_attachment

        stdin, attached = None, read_stdin_attachment(sources, stdin)
    message = read_prompt(
        words,
        stdin,
        waits=applied.needs_input if applied else not sources,
        may_be_empty=bool(sources or applied),
    )
    if applied is not None:
        options, message = applied.fill(message)
    raise typer.Exit(run(lambda signals: ask(message, options, output, signals, attached, applied, chosen)))
