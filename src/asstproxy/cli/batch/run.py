"""Running a batch for a command: who answers, what stops it, what is said at the end."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import msgspec

from ...batches.estimate import estimate, price_known
from ...batches.file_batch import FileBatch, accept, refuse_foreign
from ...batches.item import Item, check_all, require_text, with_template
from ...batches.ledger import Ledger, Status
from ...batches.output import OutputForm
from ...batches.pace import Pace
from ...batches.reading import BrokenItemError, Input, open_input
from ...batches.runner import Runner, Stop
from ...config.profiles import Profile, load_config
from ...core.codec import pretty
from ...core.errors import UsageError
from ...core.events import Configured
from ...core.money import dollars
from ...providers.assembly import budget_of
from ...providers.prices import PriceTable
from ..assistant_setup import connect_assistant
from ..conversation_setup import choose_profile, configure
from ..error_output import print_warning
from ..event_loop import Signals
from ..exit_codes import FAILED, INCOMPLETE, INTERRUPTED, ITEMS_FAILED, OK
from ..options import ConversationOptions
from ..schema_option import schema_of
from ..standard_streams import write_json

if TYPE_CHECKING:
    from ...tools.schema_source import ChosenSchema
    from ...tools.toolbox import Toolbox
    from .progress import Reported

__all__ = ["Asked", "Request", "accepted", "asked_of", "dry_run_batch", "run_batch", "summary"]

MOST, START = 64, 8
SHOWN = 5
"""Broken lines that are named, of those that are skipped."""


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line asks for; `given` are the options that stand on it."""

    source: str
    out: Path
    options: ConversationOptions
    given: frozenset[str] = frozenset()
    lines: bool = False
    skips: bool = False
    concurrency: int | None = None
    rpm: int | None = None
    tpm: int | None = None
    limit: int | None = None
    ordered: bool = False
    form: OutputForm = "asst"
    retry_failed: bool = False
    provider_batch: bool = False
    schema: str = ""
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """Who is asked, and what every item goes through before."""

    options: ConversationOptions
    profile: Profile
    configured: Configured
    check: Callable[[Item], Item]
    schema: ChosenSchema | None


def asked_of(request: Request) -> Asked:
    """Who is asked, as the options and the template say.

    Raises:
        AsstError: the profile or the template is unknown, or an option is wrong.
    """
    options = request.options
    check: Callable[[Item], Item] = require_text
    if options.system is not None and options.system.startswith("@"):
        from ..setup.instructions import instructions_of

        options = replace(options, system=instructions_of(options.system))
    more: dict[str, Any] = {}
    schema = schema_of(request.schema)
    if options.template or options.values:
        from ..templates.apply import apply_template

        applied = apply_template(options, request.given, values_follow=True)
        if applied.template is None:
            raise UsageError(
                "A prompt of an MCP server can't be the template of a batch.", "Save it: asst templates new"
            )
        options, more = applied.options, dict(applied.settings)
        schema = schema or applied.schema
        check = with_template(applied.template, applied.values)
    attached = tuple(options.attach or ())
    checks = [check]
    if attached:
        checks.insert(0, lambda item: msgspec.structs.replace(item, attachments=(*attached, *item.attachments)))
    if schema is not None:
        text = msgspec.json.encode(schema.schema, order="deterministic").decode()
        checks.append(lambda item: msgspec.structs.replace(item, schema=text))
    profile = choose_profile(load_config(), options.profile)
    if more:
        profile = msgspec.structs.replace(profile, settings={**profile.settings, **more})
    return Asked(options, profile, configure(profile, options, None, ()), check_all(checks), schema)


def accepted(source: Input, request: Request) -> Ledger:
    """The items of the input, once all of them are known to be askable; those that aren't may be skipped."""
    skipped = 0

    def skip(error: BrokenItemError) -> None:
        nonlocal skipped
        skipped += 1
        if skipped <= SHOWN:
            print_warning(f"{error} Skipped.")

    ledger = accept(source, skip if request.skips else None)
    if skipped > SHOWN:
        print_warning(f"{skipped - SHOWN} more lines of {source.name} are broken. Skipped.")
    return ledger


async def run_batch(request: Request, stdin: IO[bytes], signals: Signals) -> int:
    """Ask the items of a file; returns the exit code."""
    if request.provider_batch:
        from .at_provider import run_at_provider

        return await run_at_provider(request, stdin, signals)
    asked = asked_of(request)
    refuse_foreign(request.out)
    budget = budget_of(asked.options.max_cost, asked.profile)
    check = asked.check
    if budget is not None:
        check = check_all([check, price_known(budget.prices, asked.configured)])
    with open_input(request.source, check, lines=request.lines, stdin=stdin) as source:
        ledger = accepted(source, request)
        box = await _toolbox(asked)
        try:
            runner = Runner(
                lambda: connect_assistant(asked.profile, asked.configured, asked.options, budget),
                asked.configured,
                Pace(request.concurrency or MOST, request.concurrency or START, rpm=request.rpm, tpm=request.tpm),
                prices=budget.prices if budget is not None else PriceTable(),
                tools=box.tools if box is not None else (),
                schema=asked.schema,
                approve=_approver(asked.options),
                background=asked.options.background,
            )
            batch = FileBatch(
                source,
                ledger,
                request.out,
                runner,
                form=request.form,
                ordered=request.ordered,
                retry_failed=request.retry_failed,
                limit=request.limit,
            )
            with _stopped_by(signals, runner, request), _shown(batch, request):
                await batch.run()
            if source.has_grown:
                print_warning(f"{source.name} has grown. Run the same command again for what was added.")
            return _ending(batch, request, signals)
        finally:
            if box is not None:
                await box.aclose()


async def _toolbox(asked: Asked) -> Toolbox | None:
    if not (asked.profile.tools or asked.options.tools or "mcp" in asked.profile.options):
        return None
    from ...tools.toolbox import open_toolbox

    box = await open_toolbox(asked.profile, tuple(asked.options.tools or ()))
    for notice in box.notices:
        print_warning(notice)
    return box


def _approver(options: ConversationOptions) -> Any:
    if not options.yes:
        return None
    from ...tools import approve_all

    return approve_all


@contextmanager
def _stopped_by(signals: Signals, runner: Runner, request: Request) -> Iterator[None]:
    """The first Ctrl-C lets what is in flight finish, the second one stops it; so does SIGTERM."""

    def stop(terminated: bool) -> None:
        again = runner.stopped is not None
        runner.stop(Stop("interrupted"), now=terminated or again)
        if not terminated and not again and not request.quiet:
            print_warning(f"Finishing what is in flight ({runner.progress.in_flight}). Ctrl-C again stops it.")

    signals.on_signal = stop
    try:
        yield
    finally:
        signals.on_signal = None


@contextmanager
def _shown(batch: FileBatch, request: Request) -> Iterator[None]:
    """Progress on stderr, and in the folder of the batch for `asst batch status`."""
    from .progress import Reporter, view

    reporter = Reporter(batch, None if request.quiet else view(sys.stderr))
    batch.opened = reporter.start
    try:
        yield
    finally:
        reporter.close()


def _ending(batch: FileBatch, request: Request, signals: Signals) -> int:
    """Say how it went and how to go on; the exit code."""
    ledger, stopped = batch.ledger, batch.runner.stopped
    failed, waiting = ledger.count(Status.FAILED), ledger.count(Status.WAITING)
    if not request.quiet:
        sys.stderr.write(f"{summary(batch)}\n")
    if stopped is not None and stopped.why in ("fatal", "down", "failed"):
        print_warning(" ".join(filter(None, (stopped.message, stopped.hint))))
    if waiting and not request.quiet:
        if stopped is not None and stopped.why == "cap":
            print_warning(f"Stopped at the cost limit: {stopped.message} Go on with a higher --max-cost.")
        else:
            print_warning(f"{waiting:,} items are still to be asked. The same command goes on.")
    if failed and not request.quiet:
        print_warning(f"{failed:,} items failed. Ask them again: the same command with --retry-failed.")
    if (sent := ledger.count(Status.SENT)) and not request.quiet:
        print_warning(f"{sent:,} items are in a batch at the provider. Collect them: asst batch fetch {batch.out}")
    if stopped is not None and stopped.why == "interrupted":
        return signals.code or INTERRUPTED
    if stopped is not None and stopped.why == "cap":
        return INCOMPLETE
    if stopped is not None and stopped.why in ("fatal", "failed"):
        return FAILED
    return ITEMS_FAILED if failed else OK


def summary(batch: Reported) -> str:
    progress, ledger = batch.progress, batch.ledger
    parts = [f"{ledger.count(Status.DONE):,} of {len(ledger):,} done"]
    if failed := ledger.count(Status.FAILED):
        parts.append(f"{failed:,} failed")
    if progress.cost or not progress.is_cost_known:
        parts.append(dollars(progress.cost) + ("" if progress.is_cost_known else " + unknown"))
    return f"{' · '.join(parts)} · {batch.out}"


# ---- without sending ---------------------------------------------------------------------------------------------------


async def dry_run_batch(request: Request, stdin: IO[bytes]) -> int:
    """Print the first request, the number of items and about what they cost, as one JSON object; returns the exit code."""
    asked, tier = asked_of(request), ""
    if request.provider_batch:
        from .at_provider import BATCH, check_options

        tier = BATCH
        check_options(request, asked)
    box = await _toolbox(asked)
    try:
        assistant = connect_assistant(asked.profile, asked.configured, asked.options, None)
        configured = msgspec.structs.replace(asked.configured, model=asked.configured.model or assistant.model)
        await assistant.aclose()
        with open_input(request.source, asked.check, lines=request.lines, stdin=stdin) as source:
            count = len(accepted(source, request))
            first, cost, tokens = estimate(source, configured, PriceTable(), request.limit, tier=tier)
    finally:
        if box is not None:
            await box.aclose()
    shown = {
        "first": {
            "profile": asked.profile.name,
            "model": first.model or configured.model,
            "system": configured.instructions if first.system is None else first.system,
            "history": first.history,
            "prompt": first.prompt,
            "attachments": first.attachments,
            "schema": asked.schema.schema if asked.schema is not None else None,
            "tools": [tool.name for tool in box.tools] if box is not None else [],
            "settings": {**configured.settings, **first.settings},
        },
        "items": count,
        "input_tokens": tokens,
        "cost": cost,
    }
    write_json(pretty(shown) + b"\n")
    return OK
