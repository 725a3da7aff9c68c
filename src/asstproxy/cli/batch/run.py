"""Running a batch for a command: who answers, what stops it, what is said at the end."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import msgspec

from ...batches.asked import asked_of
from ...batches.estimate import estimate, price_known
from ...batches.file_batch import FileBatch, accept, refuse_foreign
from ...batches.item import Item, check_all, require_text, with_template
from ...batches.ledger import Ledger, Status
from ...batches.output import OutputForm
from ...batches.pace import MOST, START, Pace
from ...batches.reading import BrokenItemError, Input, open_input
from ...batches.runner import Runner, Stop
from ...config.profiles import Profile, load_config
from ...config.who_answers import choose_profile
from ...core.codec import pretty
from ...core.errors import UsageError
from ...core.events import Configured
from ...core.money import dollars
from ...providers.assembly import budget_of
from ...providers.prices import PriceTable
from ...providers.registry import provider_info
from ...text.figures import duration, short_count
from ...text.status_text import join_sentences
from ..assistant_setup import connect_assistant
from ..conversation_setup import configure_as_asked
from ..error_output import print_warning
from ..event_loop import Signals
from ..exit_codes import FAILED, INCOMPLETE, INTERRUPTED, ITEMS_FAILED, OK
from ..options import ConversationOptions
from ..schema_option import schema_of
from ..standard_streams import write_json

if TYPE_CHECKING:
    from ...tools.schema_source import ChosenSchema
    from ...tools.toolbox import Toolbox

__all__ = ["Request", "dry_run_batch", "run_batch"]

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
    schema: str = ""
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class _Asked:
    """Who is asked, and what every item goes through before."""

    options: ConversationOptions
    profile: Profile
    configured: Configured
    check: Callable[[Item], Item]
    schema: ChosenSchema | None
    schema_text: str


def _asked(request: Request) -> _Asked:
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
    text = "" if schema is None else msgspec.json.encode(schema.schema, order="deterministic").decode()
    if text:
        checks.append(lambda item: msgspec.structs.replace(item, schema=text))
    profile = choose_profile(load_config(), options.profile)
    if more:
        profile = msgspec.structs.replace(profile, settings={**profile.settings, **more})
    return _Asked(options, profile, configure_as_asked(profile, options, None, ()), check_all(checks), schema, text)


def _accepted(source: Input, request: Request, signals: Signals) -> Ledger:
    """The items of the input, once all of them are known to be askable; those that aren't may be skipped.

    Raises:
        UsageError: a line can't be asked.
        CancelledError: a signal arrived.
    """
    skipped = 0

    def skip(error: BrokenItemError) -> None:
        nonlocal skipped
        skipped += 1
        if skipped <= SHOWN:
            print_warning(f"{error} Skipped.")

    def look_for_signal() -> None:
        if signals.why_stop():
            raise asyncio.CancelledError

    ledger = accept(source, skip if request.skips else None, turn=look_for_signal)
    if skipped > SHOWN:
        print_warning(f"{skipped - SHOWN} more lines of {source.name} are broken. Skipped.")
    return ledger


async def run_batch(request: Request, stdin: IO[bytes], signals: Signals) -> int:
    """Ask the items of a file; returns the exit code."""
    asked = _asked(request)
    if str(request.out) == "-":
        raise UsageError("The results go to a file, from which the batch continues.", "Name one: -o OUT.jsonl")
    refuse_foreign(request.out)
    budget = budget_of(asked.options.max_cost, asked.profile)
    check = asked.check
    if budget is not None:
        check = check_all([check, price_known(budget.prices, asked.configured)])
    with open_input(request.source, check, lines=request.lines, stdin=stdin) as source:
        ledger = _accepted(source, request, signals)
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


async def _toolbox(asked: _Asked) -> Toolbox | None:
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
async def _shown(batch: FileBatch, asked: _Asked, request: Request) -> AsyncIterator[None]:
    """Progress on stderr, and in the folder of the batch for `asst batch status`."""
    from .progress import Reporter
    from .views import view_for

    profile, shown = asked.profile, None
    if not request.quiet:
        model = asked.configured.model or batch.runner.assistant().model
        title = " · ".join(filter(None, (f"{batch.source.name} → {batch.out}", profile.name, model)))
        shown = view_for(sys.stderr, title, limited_by=provider_info(profile.provider).vendor or profile.provider)
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
        sys.stderr.write(f"{_summary(batch, seconds)}\n")
    if stopped is not None and why != "interrupted":
        limit = "Stopped at the cost limit: " if why == "cap" else ""
        print_warning(limit + join_sentences(stopped.message, stopped.hint))
    if not request.quiet:
        sys.stderr.write("".join(f"  {line}\n" for line in _what_next(failed, waiting, why)))
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


def _summary(batch: FileBatch, seconds: float) -> str:
    """`9,971 done · 29 failed · 5 min 58 s · 6.6M tokens · $1.96`."""
    progress, ledger = batch.runner.progress, batch.ledger
    waiting, tokens = ledger.count(Status.WAITING), progress.input_tokens + progress.output_tokens
    failed = ledger.count(Status.FAILED)
    cost = dollars(progress.cost) if progress.cost else ""
    if not progress.is_cost_known:
        cost = f"{cost} + unknown" if cost else "price unknown"
    parts = [
        f"{ledger.count(Status.DONE):,} done",
        f"{failed:,} failed" if failed else "",
        f"{waiting:,} not asked" if waiting else "",
        duration(seconds),
        f"{short_count(tokens)} tokens" if tokens else "",
        cost,
    ]
    return " · ".join(filter(None, parts))


# ---- without sending ---------------------------------------------------------------------------------------------------


async def dry_run_batch(request: Request, stdin: IO[bytes], signals: Signals) -> int:
    """Print the first request, the number of items and about what they cost, as one JSON object; returns the exit code."""
    asked = _asked(request)
    box = await _toolbox(asked)
    try:
        assistant = connect_assistant(asked.profile, asked.configured, asked.options, None)
        configured = msgspec.structs.replace(asked.configured, model=asked.configured.model or assistant.model)
        await assistant.aclose()
        with open_input(request.source, asked.check, lines=request.lines, stdin=stdin) as source:
            count = len(_accepted(source, request, signals))
            first, cost, tokens = estimate(source, configured, PriceTable(), request.limit)
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
