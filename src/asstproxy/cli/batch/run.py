"""Running a batch for a command: who answers, what stops it, what is said at the end."""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import IO, TYPE_CHECKING, Any

import msgspec

from ...batches.asked import asked_of
from ...batches.estimate import estimate, price_known
from ...batches.file_batch import FileBatch, refuse_foreign
from ...batches.item import check_all
from ...batches.ledger import Status
from ...batches.pace import MOST, START, Pace
from ...batches.postgres.place import refuse_queued
from ...batches.reading import open_input
from ...batches.runner import Runner, Stop
from ...core.codec import pretty
from ...core.errors import UsageError
from ...providers.assembly import budget_of
from ...providers.prices import PriceTable
from ...providers.registry import provider_info
from ...text.status_text import join_sentences
from ..assistant_setup import connect_assistant
from ..error_output import print_warning
from ..event_loop import Signals
from ..exit_codes import FAILED, INCOMPLETE, INTERRUPTED, ITEMS_FAILED, OK
from ..options import ConversationOptions
from ..standard_streams import write_json
from .request import Request, Setup, accepted, ended_by, setup_of, summary

if TYPE_CHECKING:
    from ...tools.toolbox import Toolbox

__all__ = ["dry_run_batch", "run_batch"]


async def run_batch(request: Request, stdin: IO[bytes], signals: Signals) -> int:
    """Ask the items of a file; returns the exit code."""
    asked = setup_of(request)
    if str(request.out) == "-":
        raise UsageError("The results go to a file, from which the batch continues.", "Name one: -o OUT.jsonl")
    if request.provider_batch:
        from .at_provider import run_at_provider

        return await run_at_provider(request, asked, stdin, signals)
    refuse_foreign(request.out)
    refuse_queued(request.out)
    budget = budget_of(asked.options.max_cost, asked.profile)
    check = asked.check
    if budget is not None:
        check = check_all([check, price_known(budget.prices, asked.configured)])
    with open_input(request.source, check, lines=request.lines, stdin=stdin, turn=ended_by(signals)) as source:
        ledger = accepted(source, request, signals)
        box, began = await _toolbox(asked), time.monotonic()
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
                asked=asked_of(
                    asked.configured, [tool.name for tool in box.tools] if box else (), asked.schema_text.encode()
                ),
            )
            async with _shown(batch, asked, request):
                with _stopped_by(signals, runner, request):
                    await batch.run()
            if source.has_grown:
                print_warning(f"{source.name} has grown. Run the same command again for what was added.")
            return _ending(batch, request, signals, time.monotonic() - began)
        finally:
            if box is not None:
                await box.aclose()


async def _toolbox(asked: Setup) -> Toolbox | None:
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
    signals.graceful = 2
    try:
        yield
    finally:
        signals.on_signal = None


@asynccontextmanager
async def _shown(batch: FileBatch, asked: Setup, request: Request) -> AsyncIterator[None]:
    """Progress on stderr, and in the folder of the batch for `asst batch status`."""
    from .progress import Reporter
    from .views import LOGGED, view_for

    profile, shown = asked.profile, None
    if not request.quiet:
        model = asked.configured.model or batch.runner.assistant().model
        title = " · ".join(filter(None, (f"{batch.source.name} → {batch.out}", profile.name, model)))
        shown = view_for(
            sys.stderr, title, limited_by=provider_info(profile.provider).vendor or profile.provider, logged=LOGGED
        )
    max_cost = asked.options.max_cost if asked.options.max_cost is not None else profile.max_cost
    reporter = Reporter(batch, shown, max_cost=max_cost)
    batch.opened = reporter.start
    try:
        yield
    finally:
        await reporter.close()


def _ending(batch: FileBatch, request: Request, signals: Signals, seconds: float) -> int:
    """Say how it went and how to continue; the exit code."""
    ledger, stopped = batch.ledger, batch.runner.stopped
    failed, waiting = ledger.count(Status.FAILED), ledger.count(Status.WAITING)
    why = stopped.why if stopped is not None else ""
    if not request.quiet:
        sys.stderr.write(f"{summary(batch, seconds)}\n")
    if stopped is not None and why != "interrupted":
        limit = "Stopped at the cost limit: " if why == "cap" else ""
        print_warning(limit + join_sentences(stopped.message, stopped.hint))
    if not request.quiet:
        sys.stderr.write("".join(f"  {line}\n" for line in _what_next(failed, waiting, why)))
        if sent := ledger.count(Status.SENT):
            sys.stderr.write(f"  Collect the {sent:,} at the provider: asst batch fetch {batch.out}\n")
    if why == "interrupted":
        return signals.code or INTERRUPTED
    if why == "cap":
        return INCOMPLETE
    if why in ("fatal", "failed") or (why == "down" and not failed):
        return FAILED
    return ITEMS_FAILED if failed else OK


def _what_next(failed: int, waiting: int, why: str) -> Iterator[str]:
    if waiting:
        cap = "; --max-cost is for one run" if why == "cap" else ""
        yield (
            f"Ask the other {waiting:,}: the same command{cap}"
            if waiting > 1
            else f"Ask the last one: the same command{cap}"
        )
    if failed:
        which = f"those {failed:,}" if failed > 1 else "the one that failed"
        yield f"Ask {which} again: the same command with --retry-failed"


# ---- without sending ---------------------------------------------------------------------------------------------------


async def dry_run_batch(request: Request, stdin: IO[bytes], signals: Signals) -> int:
    """Print the first request, the number of items and about what they cost, as one JSON object; returns the exit code."""
    asked, tier = setup_of(request), ""
    if request.provider_batch:
        from .at_provider import BATCH, check_options

        tier = BATCH
        await check_options(request, asked)
    box = await _toolbox(asked)
    try:
        assistant = connect_assistant(asked.profile, asked.configured, asked.options, None)
        configured = msgspec.structs.replace(asked.configured, model=asked.configured.model or assistant.model)
        await assistant.aclose()
        with open_input(
            request.source, asked.check, lines=request.lines, stdin=stdin, turn=ended_by(signals)
        ) as source:
            count = len(accepted(source, request, signals))
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
