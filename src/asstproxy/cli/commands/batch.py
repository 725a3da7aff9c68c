"""`asst batch`: its options and help."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from .. import completion
from ..options import ConversationOptions, ProfileName, Quiet, Tools, not_empty, on_command_line
from ..suggest import SuggestingGroup

__all__ = ["batch"]


class _Batch(SuggestingGroup):
    """`asst batch IN -o OUT` without a name of a command in front of IN."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put `run` in front, unless another command is named."""
        if args and args[0] not in self.commands:
            args = ["run", *args]
        return super().parse_args(ctx, args)


batch = typer.Typer(
    help="Ask many questions from a file: asst batch IN -o OUT. Its options: asst batch -h",
    cls=_Batch,
    no_args_is_help=True,
    rich_markup_mode=None,
)

Queue = Annotated[
    str,
    typer.Option(
        "--queue",
        metavar="ADDRESS",
        envvar="ASST_QUEUE",
        show_envvar=True,
        help="A Postgres database, whose items workers ask: postgresql://user@host/name.",
    ),
]


@batch.command()
def run(
    context: typer.Context,
    source: Annotated[
        str, typer.Argument(help="JSON lines, CSV (by its header) or - for stdin. See docs/batch.md.", metavar="IN")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Write one JSON line for each item to this file.")],
    profile: ProfileName = "",
    model: Annotated[
        str,
        typer.Option("--model", "-m", envvar="ASST_MODEL", help="Model to use.", autocompletion=completion.models),
    ] = "",
    system: Annotated[str | None, typer.Option("--system", "-s", help="Instructions to use: a text or @file.")] = None,
    template: Annotated[
        str,
        typer.Option(
            "--template",
            "-T",
            callback=not_empty,
            help="Template; each item has its variables.",
            autocompletion=completion.templates,
        ),
    ] = "",
    values: Annotated[
        list[str] | None, typer.Option("--param", "-P", help="A value of the template for every item: name=value.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--option", "-O", metavar="KEY=VALUE", help="A setting of the provider's API: temperature=0.2."),
    ] = None,
    schema: Annotated[
        str,
        typer.Option(
            "--schema",
            callback=not_empty,
            help="Answer with JSON that fits this schema, as asst ask --schema takes it.",
        ),
    ] = "",
    tools: Tools = None,
    yes: Annotated[bool, typer.Option("--yes", help="Run every tool without asking.")] = False,
    lines: Annotated[bool, typer.Option("--lines", help="Each line of the input is a prompt.")] = False,
    on_error: Annotated[
        Literal["stop", "skip"], typer.Option("--on-error", help="What to do with a broken line of the input.")
    ] = "stop",
    concurrency: Annotated[
        int | None,
        typer.Option("--concurrency", min=1, max=1000, help="Requests at a time. Default: grows from 8 to 64."),
    ] = None,
    rpm: Annotated[int | None, typer.Option("--rpm", min=1, help="Requests a minute, at most.")] = None,
    tpm: Annotated[int | None, typer.Option("--tpm", min=1, help="Tokens a minute, at most.")] = None,
    max_cost: Annotated[
        float | None, typer.Option("--max-cost", metavar="USD", help="Send nothing that could make this run cost more.")
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Ask so many items, at most.")] = None,
    ordered: Annotated[bool, typer.Option("--ordered", help="Write results in the order of the input.")] = False,
    format_: Annotated[Literal["asst", "openai"], typer.Option("--format", help="Form of the results.")] = "asst",
    background: Annotated[
        bool, typer.Option("--background", help="Let the provider keep the answers: none is paid twice after a crash.")
    ] = False,
    provider_batch: Annotated[
        bool,
        typer.Option(
            "--provider-batch", help="Send the items through the provider's batch API: half price, within a day."
        ),
    ] = False,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Ask the items again that failed.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the first request, the count and the estimated cost. Send nothing.")
    ] = False,
    queue: Queue = "",
    follow: Annotated[
        bool, typer.Option("--follow/--no-follow", help="With --queue: stay until all results are written.")
    ] = True,
    quiet: Quiet = False,
) -> None:
    """Ask every item of IN. The same command again continues where it stopped."""
    from ...core.errors import UsageError
    from ...core.warnings import quieten_warnings
    from ..batch.request import Request
    from ..batch.run import dry_run_batch, run_batch
    from ..event_loop import run

    if quiet:
        quieten_warnings()
    options = ConversationOptions(
        profile=profile,
        model=model,
        system=system,
        template=template,
        values=values,
        settings=settings,
        tools=tools,
        yes=yes,
        max_cost=max_cost,
        background=background,
    )
    request = Request(
        source=source,
        out=output,
        options=options,
        given=on_command_line(context),
        lines=lines,
        skips=on_error == "skip",
        concurrency=concurrency,
        rpm=rpm,
        tpm=tpm,
        limit=limit,
        ordered=ordered,
        form=format_,
        retry_failed=retry_failed,
        provider_batch=provider_batch,
        schema=schema,
        quiet=quiet,
    )
    if dry_run:
        raise typer.Exit(run(lambda signals: dry_run_batch(request, sys.stdin.buffer, signals)))
    if provider_batch and "queue" in request.given:
        raise UsageError("--queue can't be combined with --provider-batch.", "Leave one of them out.")
    if queue and not provider_batch:
        from ..batch.queue import run_queued

        raise typer.Exit(run(lambda signals: run_queued(request, queue, sys.stdin.buffer, signals, follow=follow)))
    raise typer.Exit(run(lambda signals: run_batch(request, sys.stdin.buffer, signals)))


@batch.command(short_help="Ask the items of a --queue, on any machine.")
def work(
    queue: Queue,
    profiles: Annotated[
        list[str] | None,
        typer.Option("--profile", "-p", help="Ask with this profile only (repeatable). Default: all that are set up."),
    ] = None,
    concurrency: Annotated[
        int | None, typer.Option("--concurrency", min=1, max=1000, help="Requests at a time. Default: 32.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Ask items that were submitted with --queue, until Ctrl-C. It may run on any number of machines."""
    from ...core.warnings import quieten_warnings
    from ..batch.work import work
    from ..event_loop import run

    if quiet:
        quieten_warnings()
    raise typer.Exit(run(lambda signals: work(queue, profiles or (), concurrency, signals, quiet=quiet)))


@batch.command(short_help="Show how far a batch is.")
def status(
    out: Annotated[
        str | None,
        typer.Argument(help="The file with the results; with --queue, or the name of a batch.", metavar="OUT"),
    ] = None,
    queue: Queue = "",
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show how far a batch is, also while it runs. With --queue and without OUT: all batches of the database."""
    from ...batches.postgres.place import is_local

    if queue and not (out and is_local(Path(out))):
        from ..batch.queue_status import show_queued
        from ..event_loop import run

        raise typer.Exit(run(lambda _: show_queued(queue, out, as_json=json)))
    from ...core.errors import UsageError
    from ..batch.status import show_status

    if out is None:
        raise UsageError("Which batch?", "Name the file that was given to -o, or a database: --queue ADDRESS")
    show_status(Path(out), as_json=json)


@batch.command(short_help="Collect what a provider's batch has answered.")
def fetch(
    out: Annotated[Path, typer.Argument(help="The file with the results.", metavar="OUT")], quiet: Quiet = False
) -> None:
    """Collect what a provider's batch has answered, without waiting (after --provider-batch)."""
    from ..batch.at_provider import fetch_batch
    from ..event_loop import run

    raise typer.Exit(run(lambda signals: fetch_batch(out, signals, quiet=quiet)))


@batch.command(short_help="Stop a provider's or a queue's batch.")
def cancel(
    out: Annotated[
        str,
        typer.Argument(help="The file with the results; with --queue, or the name of a batch.", metavar="OUT"),
    ],
    queue: Queue = "",
    quiet: Quiet = False,
) -> None:
    """Stop a batch at its provider (after --provider-batch) or in a database (--queue). What is answered by then is kept."""
    from ...batches.postgres.place import is_local
    from ..event_loop import run

    if queue and not is_local(Path(out)):
        from ..batch.queue_status import cancel_queued

        raise typer.Exit(run(lambda _: cancel_queued(queue, out)))
    from ..batch.at_provider import cancel_batch

    raise typer.Exit(run(lambda _: cancel_batch(Path(out), quiet=quiet)))
