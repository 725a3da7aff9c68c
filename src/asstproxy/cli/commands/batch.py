"""`asst batch`: its options and help."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from .. import completion
from ..options import ConversationOptions, ProfileName, Quiet, Tools, on_command_line
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
    help="Ask many questions from a file. Status: asst batch status OUT.",
    cls=_Batch,
    no_args_is_help=True,
    rich_markup_mode=None,
)

OutFile = Annotated[Path, typer.Argument(help="The file with the results.", metavar="OUT")]


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
            "--template", "-T", help="Template; each item has its variables.", autocompletion=completion.templates
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
        str, typer.Option("--schema", help="Answer with JSON that fits this schema, as asst ask --schema takes it.")
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
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Ask the items again that failed.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the first request, the count and the estimated cost. Send nothing.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Ask every item of IN. The same command again goes on where it stopped."""
    from ...core.warnings import quieten_warnings
    from ..batch.run import Request, dry_run_batch, run_batch
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
        schema=schema,
        quiet=quiet,
    )
    if dry_run:
        raise typer.Exit(run(lambda signals: dry_run_batch(request, sys.stdin.buffer, signals)))
    raise typer.Exit(run(lambda signals: run_batch(request, sys.stdin.buffer, signals)))


@batch.command()
def status(out: OutFile, json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False) -> None:
    """Show how far a batch is, also while it runs."""
    from ..batch.status import show_status

    show_status(out, as_json=json)
