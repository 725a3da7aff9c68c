"""A batch whose items workers ask: it is submitted to a database, and its results are collected from there."""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

import msgspec

from ...batches.asked import asked_of
from ...batches.estimate import price_known
from ...batches.file_batch import refuse_foreign
from ...batches.item import check_all
from ...batches.journal import folder_of
from ...batches.postgres.address import Address, address_of
from ...batches.postgres.collect import Counts, counts, doubted
from ...batches.postgres.database import OUTAGE
from ...batches.postgres.ordered_output import OrderedOutput
from ...batches.postgres.place import is_local, known_place, new_place
from ...batches.postgres.spec import Spec, require_remote
from ...batches.postgres.submit import Limits, Submitted, submit
from ...batches.postgres.tables import connected
from ...batches.reading import open_input
from ...config.atomic import write_atomically
from ...core.errors import AsstError, UsageError
from ...providers.assembly import budget_of
from ...providers.registry import provider_info
from ..error_output import print_warning
from ..event_loop import Signals
from ..exit_codes import FAILED, INCOMPLETE, INTERRUPTED, ITEMS_FAILED, OK
from .request import Request, Setup, accepted, ended_by, setup_of
from .snapshot import PROGRESS, Snapshot, snapshot_of
from .views import LOGGED, View, line_of, view_for

if TYPE_CHECKING:
    from psycopg import AsyncConnection

__all__ = ["run_queued"]

EVERY = 1.0
"""Seconds between two looks at the database, or ten times as long as it takes to look."""
NAMED = 5
"""Items that are named, of those that may be charged twice."""


async def run_queued(request: Request, queue: str, stdin: IO[bytes], signals: Signals, *, follow: bool) -> int:
    """Submit the items of a file, and write the results so far; `follow`: until all are there. Returns the exit code."""
    address = address_of(queue)
    asked = setup_of(request)
    _refuse_local(request, asked)
    refuse_foreign(request.out)
    if is_local(request.out):
        raise UsageError(f"{request.out} was begun without --queue.", "Leave it out, or choose another output.")
    budget = budget_of(asked.options.max_cost, asked.profile)
    checks = [asked.check, require_remote]
    if budget is not None:
        checks.append(price_known(budget.prices, asked.configured))
    limits = Limits(request.rpm, request.tpm, None if budget is None else float(budget.limit))
    spec = Spec(asked.configured, asked.schema.schema if asked.schema is not None else None, asked.options.background)
    with open_input(
        request.source, check_all(checks), lines=request.lines, stdin=stdin, turn=ended_by(signals)
    ) as source:
        ledger = accepted(source, request, signals)
        async with connected(address) as connection:
            output = OrderedOutput(
                request.out,
                request.form,
                asked_of(asked.configured, (), asked.schema_text.encode()),
                retry_failed=request.retry_failed,
            )
            try:
                submitted = await submit(
                    connection,
                    known_place(request.out) or new_place(request.out),
                    spec,
                    limits,
                    source.items(lambda _: None),
                    ledger,
                    out=str(request.out),
                    source=source.name,
                    reopening=output.cut if request.retry_failed else None,
                )
                await output.check(connection, submitted.batch)
            except BaseException:
                output.close()
                raise
    try:
        if not request.quiet:
            new = f"{submitted.added:,} of {submitted.items:,} items" if submitted.added else "No items"
            sys.stderr.write(f"{new} are new in the database at {address.shown}.\n")
        title = " · ".join(filter(None, (f"{source.name} → {request.out}", asked.profile.name, asked.configured.model)))
        vendor = provider_info(asked.profile.provider).vendor or asked.profile.provider
        shown = None if request.quiet else view_for(sys.stderr, title, limited_by=vendor, logged=LOGGED)
        collecting = _Collecting(request, address, submitted, output)
        return await collecting.run(signals, shown, follow=follow)
    finally:
        output.close()


def _refuse_local(request: Request, asked: Setup) -> None:
    """Check that nothing is asked for that only this machine has.

    Raises:
        UsageError: it is.
    """
    if asked.profile.tools or asked.options.tools or "mcp" in asked.profile.options:
        raise UsageError(
            "Tools can't be used with --queue: workers don't have them.", "Leave out --queue or the tools."
        )
    if asked.schema is not None and asked.schema.check is not None:
        raise UsageError(
            "A schema from a Python class can't be used with --queue: workers don't have the class.",
            "Save it as a JSON Schema, and name that file: --schema FILE.json",
        )
    if request.concurrency is not None:
        raise UsageError("With --queue, each worker has its own --concurrency.", "Give it to asst batch work.")
    if request.limit is not None:
        raise UsageError("--limit can't be combined with --queue.", "Leave one of them out.")


@dataclass(slots=True)
class _Collecting:
    """Collects the results of a batch."""

    request: Request
    address: Address
    submitted: Submitted
    output: OrderedOutput
    began: float = field(default_factory=time.monotonic)
    settled_before: int | None = None
    has_warned: bool = False
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, signals: Signals, shown: View | None, *, follow: bool) -> int:
        """Collect; the exit code."""
        signals.on_signal = lambda _: self.stopping.set()
        try:
            last = await self._patiently(shown, follow=follow)
        finally:
            signals.on_signal = None
            if shown is not None:
                shown.close()
        return self._ending(last, signals)

    async def _patiently(self, shown: View | None, *, follow: bool) -> Counts | None:
        """What the batch has come to; None if a signal arrived first. A database that is away is waited for."""
        until, is_reported = time.monotonic() + OUTAGE, False
        while True:
            try:
                async with connected(self.address) as connection:
                    return await self._collect(connection, shown, follow=follow)
            except AsstError as error:
                if not _is_passing(error) or time.monotonic() > until:
                    raise
                if not is_reported:
                    print_warning(f"{error} Trying again.")
                    is_reported = True
            with suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), EVERY)
                return None

    async def _collect(self, connection: AsyncConnection, shown: View | None, *, follow: bool) -> Counts | None:
        while True:
            began = time.monotonic()
            state = await counts(connection, self.submitted.batch)
            await self.output.collect(connection, self.submitted.batch)
            self._show(state, shown)
            if not follow or self._is_over(state):
                await self._warn_of_doubts(connection, state)
                return state
            with suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), max(EVERY, 10 * (time.monotonic() - began)))
                return None

    def _is_over(self, state: Counts) -> bool:
        if state.is_over:
            return self.output.lines >= state.items
        return state.state != "open" and not state.in_flight

    def _show(self, state: Counts, shown: View | None) -> None:
        settled, seconds = state.done + state.failed, time.monotonic() - self.began
        if self.settled_before is None:
            self.settled_before = settled
        rate = (settled - self.settled_before) / seconds if seconds else 0.0
        waiting = state.items - settled
        snapshot = msgspec.structs.replace(
            snapshot_of(state),
            per_second=round(rate, 2),
            seconds=round(seconds, 1),
            left=round(waiting / rate, 1) if rate and waiting else None,
        )
        with suppress(OSError):
            path = folder_of(self.request.out) / PROGRESS
            write_atomically(path, msgspec.json.encode(snapshot), single_writer=True)
        if shown is not None:
            shown.show(snapshot)
            if not state.workers and not self._is_over(state) and not self.has_warned:
                self.has_warned = True
                print_warning("No worker is running. Start one, on any machine: asst batch work --queue ADDRESS")

    async def _warn_of_doubts(self, connection: AsyncConnection, state: Counts) -> None:
        if state.maybe_twice:
            named = await doubted(connection, self.submitted.batch, NAMED)
            more = f" and {state.maybe_twice - len(named):,} more" if state.maybe_twice > len(named) else ""
            items = "1 item was" if state.maybe_twice == 1 else f"{state.maybe_twice:,} items were"
            print_warning(
                f"{items} asked again because a worker died or paused, and may be charged twice: {', '.join(named)}{more}."
            )

    def _ending(self, last: Counts | None, signals: Signals) -> int:
        request = self.request
        if last is None:
            if not request.quiet:
                print_warning("The workers continue. The same command collects the rest.")
            return signals.code or INTERRUPTED
        if not request.quiet:
            sys.stderr.write(f"{_summary(last)} · {request.out}\n")
        waiting = last.items - last.done - last.failed
        if waiting and last.state == "capped":
            print_warning(f"Stopped at the cost limit: {last.stop} Continue with a higher --max-cost.")
            return INCOMPLETE
        if waiting and last.state == "stopped":
            print_warning(f"A worker stopped the batch: {last.stop}")
            return FAILED
        if waiting and last.state == "cancelled":
            print_warning("The batch was cancelled. The same command opens it again.")
            return INCOMPLETE
        if waiting and not request.quiet:
            print_warning(f"{waiting:,} items are still to be asked. The same command collects them.")
        if last.failed and not request.quiet:
            print_warning(f"{last.failed:,} items failed. Ask them again: the same command with --retry-failed.")
        return ITEMS_FAILED if last.failed else OK


def _summary(state: Counts) -> str:
    return line_of(Snapshot(state.items, state.done, state.failed, 0, cost=state.cost))


def _is_passing(error: AsstError) -> bool:
    from psycopg import OperationalError

    return isinstance(error.__cause__, OperationalError)
