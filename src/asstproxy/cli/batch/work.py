"""`asst batch work`: asks the items of batches that others have submitted to a database."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from contextlib import suppress

from ...batches.postgres.address import address_of
from ...batches.postgres.database import pooled
from ...batches.postgres.serving import profiles_here
from ...batches.postgres.worker import Worker
from ...text.status_text import join_sentences
from ..error_output import print_warning
from ..event_loop import Signals
from ..exit_codes import FAILED, INTERRUPTED, OK

__all__ = ["work"]

SLOTS = 32
CONNECTIONS = 8
"""To the database, at most, in addition to the one for notifications."""
LOGGED = 10.0
"""Seconds between two lines of progress."""


async def work(queue: str, names: Sequence[str], concurrency: int | None, signals: Signals, *, quiet: bool) -> int:
    """Ask items, with these profiles or all that are set up, until a signal arrives; returns the exit code."""
    address = address_of(queue)
    profiles = await profiles_here(names)
    async with pooled(address, CONNECTIONS) as database:
        worker = Worker(database, profiles, concurrency or SLOTS)

        def stop(terminated: bool) -> None:  # noqa: ARG001 - both kinds of signals leave
            again = stop_seen.is_set()
            stop_seen.set()
            worker.stop(now=again)
            if not again and not quiet and worker.progress.in_flight:
                print_warning(
                    f"Finishing what is in flight ({worker.progress.in_flight}), for {Worker.GRACE:.0f} s at most."
                    " Ctrl-C again gives it back."
                )

        stop_seen = asyncio.Event()
        signals.on_signal = stop
        signals.graceful = 2  # the second Ctrl-C gives back, which takes a moment
        logging = asyncio.create_task(_log(worker))
        if not quiet:
            sys.stderr.write(
                f"Waiting for items at {address.shown} with {', '.join(sorted(one.name for one in profiles.values()))}.\n"
            )
        try:
            await worker.run()
        finally:
            signals.on_signal = None
            logging.cancel()
            with suppress(asyncio.CancelledError):
                await logging
    if not quiet:
        sys.stderr.write(f"{_line(worker)}\n")
    if worker.stopped is not None:
        print_warning(join_sentences(worker.stopped.message, worker.stopped.hint))
        return FAILED
    return OK if signals.is_terminated else signals.code or INTERRUPTED


async def _log(worker: Worker) -> None:
    last, began = "", time.monotonic()
    while True:
        await asyncio.sleep(LOGGED)
        line = _line(worker)
        if line != last:
            settled = worker.progress.done + worker.progress.failed
            sys.stderr.write(f"{line} · {settled / (time.monotonic() - began):.3g}/s\n")
            sys.stderr.flush()
            last = line


def _line(worker: Worker) -> str:
    progress = worker.progress
    parts = [f"{progress.done:,} done"]
    if progress.failed:
        parts.append(f"{progress.failed:,} failed")
    if progress.in_flight:
        parts.append(f"{progress.in_flight} in flight")
    return " · ".join(parts)
