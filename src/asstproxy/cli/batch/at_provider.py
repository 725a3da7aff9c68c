"""`asst batch --provider-batch`, `fetch` and `cancel`: through the provider's own batch API, at half the price."""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, Any

import msgspec

from ...batches.asked import asked_of
from ...batches.checks import CostLimitError, checked
from ...batches.file_batch import refuse_foreign
from ...batches.item import Item, check_all
from ...batches.jobs import each_job
from ...batches.journal import JOURNAL, folder_of
from ...batches.ledger import Status
from ...batches.postgres.place import refuse_queued
from ...batches.provider_batch import ProviderBatch
from ...batches.reading import open_input
from ...batches.sending import Submission
from ...config.profiles import Profile, load_config
from ...core.errors import UsageError
from ...providers.assembly import budget_of
from ...providers.batch_api import BATCH, BatchApi
from ...providers.budget import within_budget
from ...providers.prices import PriceTable
from ...providers.registry import batches
from ..error_output import print_warning
from ..event_loop import Signals
from ..exit_codes import INCOMPLETE, INTERRUPTED, ITEMS_FAILED, OK
from .request import Request, Setup, accepted, ended_by, summary

__all__ = ["BATCH", "cancel_batch", "check_options", "fetch_batch", "run_at_provider"]

LOGGED = 600.0
"""Seconds between two lines in a log: a batch takes hours."""


async def check_options(request: Request, asked: Setup) -> None:
    """Check that a provider's batch can do what is asked for.

    Raises:
        UsageError: an option has no meaning there, or the provider has no batch API.
        NotSetUpError: something that the provider needs is missing.
    """
    if asked.profile.tools or asked.options.tools or "mcp" in asked.profile.options:
        raise UsageError(
            "A provider's batch makes one request for each item, so it can't run tools.",
            "Leave out -t, and choose a profile without tools, or leave out --provider-batch.",
        )
    given = {
        "--background": asked.options.background,
        "--concurrency": request.concurrency is not None,
        "--rpm": request.rpm is not None,
        "--tpm": request.tpm is not None,
    }
    if unfit := [name for name, is_given in given.items() if is_given]:
        verb = "has" if len(unfit) == 1 else "have"
        raise UsageError(f"{' and '.join(unfit)} {verb} no effect on a provider's batch.", "Leave it out.")
    await _connected(asked.profile, asked.configured.model).aclose()


def _connected(profile: Profile, model: str) -> BatchApi:
    return batches(msgspec.structs.replace(profile, model=model or profile.model))


async def run_at_provider(request: Request, asked: Setup, stdin: IO[bytes], signals: Signals) -> int:
    """Send the items of a file, wait, and collect the results; returns the exit code."""
    await check_options(request, asked)
    refuse_foreign(request.out)
    refuse_queued(request.out)
    began = time.monotonic()
    budget, check = budget_of(asked.options.max_cost, asked.profile), asked.check

    async def prepare(api: BatchApi, items: Iterator[Item]) -> Mapping[str, Any]:
        if budget is not None:
            within_budget(api.provider, budget, asked.profile.name, asked.configured.model)
        return await checked(api, items, asked.configured, budget)

    if budget is not None:
        from ...batches.estimate import price_known

        check = check_all([check, price_known(budget.prices, asked.configured)])
    with open_input(request.source, check, lines=request.lines, stdin=stdin, turn=ended_by(signals)) as source:
        batch = ProviderBatch(
            request.out,
            connect=lambda name, model: _connected(
                asked.profile if name == asked.profile.name else load_config().profile(name), model
            ),
            ledger=accepted(source, request, signals),
            prices=budget.prices if budget is not None else PriceTable(),
            form=request.form,
            ordered=request.ordered,
            limit=request.limit,
        )
        submission = Submission(
            source,
            asked.profile.name,
            asked.configured,
            schema=asked.schema,
            limit=request.limit,
            retry_failed=request.retry_failed,
            prepare=prepare,
            asked=asked_of(asked.configured, (), asked.schema_text.encode()),
        )
        title = " · ".join(filter(None, (f"{source.name} → {request.out}", asked.profile.name, asked.configured.model)))
        async with _shown(batch, title, signals, quiet=request.quiet):
            try:
                await batch.run(submission)
            except CostLimitError as error:
                print_warning(f"{error} {error.hint}")
                return INCOMPLETE
        if source.has_grown:
            print_warning(f"{source.name} has grown. Run the same command again for what was added.")
    return _ending(batch, signals, time.monotonic() - began, quiet=request.quiet)


async def fetch_batch(out: Path, signals: Signals, *, quiet: bool) -> int:
    """Collect the results that are there; returns the exit code."""
    batch, began = _found(out), time.monotonic()
    async with _shown(batch, str(out), signals, quiet=quiet):
        await batch.fetch()
    return _ending(batch, signals, time.monotonic() - began, quiet=quiet)


async def cancel_batch(out: Path, *, quiet: bool) -> int:
    """Cancel what is at the provider; returns the exit code."""
    batch = _found(out)
    await batch.cancel()
    if not quiet:
        left = sum(job.count for job in batch.jobs)
        message = f"Cancelled. Collect what was answered by now: asst batch fetch {out}" if left else "Cancelled."
        sys.stderr.write(f"{message}\n")
    return OK


def _found(out: Path) -> ProviderBatch:
    """The batch that writes a file.

    Raises:
        UsageError: there is none, or none of it was sent to a provider's batch.
    """
    journal = folder_of(out) / JOURNAL
    if not journal.is_file():
        raise UsageError(f"No batch writes {out}.", "Name the file that was given to -o.")
    if next(each_job(journal), None) is None:
        raise UsageError(f"The items of {out} are in no provider's batch.", "See: asst batch status")
    return ProviderBatch(
        out, connect=lambda name, model: _connected(load_config().profile(name), model), prices=PriceTable()
    )


@asynccontextmanager
async def _shown(batch: ProviderBatch, title: str, signals: Signals, *, quiet: bool) -> AsyncIterator[None]:
    """Progress as of any batch; Ctrl-C and SIGTERM end the waiting."""
    from .progress import Reporter
    from .views import view_for

    view = None if quiet else view_for(sys.stderr, title, limited_by="the provider", logged=LOGGED)
    reporter = Reporter(batch, view)
    batch.opened = reporter.start
    batch.say = lambda line: None if quiet else print_warning(line)
    signals.on_signal = lambda _: batch.stopping.set()
    try:
        yield
    finally:
        signals.on_signal = None
        await reporter.close()


def _ending(batch: ProviderBatch, signals: Signals, seconds: float, *, quiet: bool) -> int:
    """Say how it went and how to go on; the exit code."""
    ledger = batch.ledger
    failed, waiting, sent = (ledger.count(status) for status in (Status.FAILED, Status.WAITING, Status.SENT))
    if not quiet:
        sys.stderr.write(f"{summary(batch, seconds)}\n")
        if sent:
            sys.stderr.write(f"  Collect the {sent:,} at the provider: asst batch fetch {batch.out}\n")
        if waiting:
            sys.stderr.write(f"  Ask the other {waiting:,}: the same command\n")
        if failed:
            sys.stderr.write(
                f"  Ask those {failed:,} directly: the same command with --retry-failed, without --provider-batch\n"
            )
    if batch.stopping.is_set:
        return signals.code or INTERRUPTED
    if sent:
        return INCOMPLETE
    return ITEMS_FAILED if failed else OK
