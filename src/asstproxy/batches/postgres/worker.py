"""A worker: it asks the items of every batch in the database whose profile its machine has, until it is stopped."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import psycopg

from ...config.profiles import Profile
from ...core.errors import AsstError
from ...core.resume import can_attach
from ..result import Result, failed
from ..runner import Job, Progress, Stop
from .claim import CLAIM, Claim, Keeper, Taken, settle, take, take_back
from .database import Database
from .serving import Serving, serving_of
from .sweep import BEAT, Sweep
from .tickets import ConnectorException, GiveBackError, give_back, made_app

if TYPE_CHECKING:
    from procrastinate import App, JobContext

__all__ = ["Worker"]

POLL = 1.0
"""Seconds between two looks for a ticket that was given back: only a new one notifies."""
UNUSED = 60.0
"""Seconds after which the connections for a batch are closed."""


@dataclass(slots=True)
class Worker:
    """Asks items with these `profiles` (by queue), `slots` at a time. `stopped` says why it leaves by itself."""

    GRACE: ClassVar[float] = 25.0
    """Seconds in which what is in flight may finish once the worker is told to leave: Kubernetes kills after 30."""

    database: Database
    profiles: Mapping[str, Profile]
    slots: int
    progress: Progress = field(default_factory=Progress)
    stopped: Stop | None = None
    _servings: dict[int, Serving] = field(default_factory=dict)
    _opening: asyncio.Lock = field(default_factory=asyncio.Lock)
    _tickets: dict[int, asyncio.Task[Any]] = field(default_factory=dict)
    _sweep: Sweep | None = None
    _fetching: asyncio.Task[None] | None = None
    _is_leaving: bool = False
    _timer: asyncio.TimerHandle | None = None

    async def run(self) -> None:
        """Ask until `stop`.

        Raises:
            AsstError: the database was away for too long.
            psycopg.Error: it was, or refuses us.
        """
        app = await made_app(self.database)
        app.task(name="ask", pass_context=True, retry=give_back())(self._ask)
        self._sweep = Sweep(self.database, app, list(self.profiles), self._tickets.keys())
        sweep = asyncio.create_task(self._sweep.run())
        try:
            while not self._is_leaving:
                self._fetching = asyncio.create_task(self._fetch(app))
                await asyncio.wait({self._fetching, sweep}, return_when=asyncio.FIRST_COMPLETED)
                if sweep.done() and not self._is_leaving:
                    self.stop()
                await asyncio.wait({self._fetching})
                if not self._fetching.cancelled() and (error := self._fetching.exception()) is not None:
                    raise error
            if sweep.done() and not sweep.cancelled() and (error := sweep.exception()) is not None:
                raise error
        finally:
            sweep.cancel()
            if self._timer is not None:
                self._timer.cancel()
            await self.database.flush()
            for serving in self._servings.values():
                await serving.runner.aclose()

    async def _fetch(self, app: App) -> None:
        """Let procrastinate bring tickets."""
        try:
            await app.run_worker_async(
                queues=list(self.profiles),
                concurrency=self.slots,
                delete_jobs="always",
                install_signal_handlers=False,
                update_heartbeat_interval=BEAT,
                stalled_worker_timeout=3600.0,
                fetch_job_polling_interval=POLL,
            )
        except ConnectorException as error:
            if isinstance(error.__cause__, psycopg.errors.ForeignKeyViolation):
                return  # we were away for so long that our entry was removed: come back under another one
            raise error.__cause__ or error from None

    def stop(self, *, now: bool = False) -> None:
        """Take no more items, and leave when those in flight are over, within `GRACE`; or (`now`) give them back at once."""
        if not self._is_leaving:
            self._is_leaving = True
            if self._fetching is not None:
                self._fetching.cancel()  # which ends it in an orderly way
            self._timer = asyncio.get_running_loop().call_later(self.GRACE, self._give_back)
        if now:
            self._give_back()

    def _give_back(self) -> None:
        for task in self._tickets.values():
            task.cancel()

    # ---- one item ------------------------------------------------------------------------------------------------------

    async def _ask(self, context: JobContext, batch: int, n: int) -> None:
        """Ask the item of a ticket.

        Raises:
            GiveBackError: it is still to be asked.
        """
        job, task = context.job, asyncio.current_task()
        assert job.id is not None and task is not None and self._sweep is not None  # noqa: S101, PT018 - it runs, for a job
        self._sweep.worker = job.worker_id
        self._tickets[job.id] = task
        self.progress.in_flight = len(self._tickets)
        claim = Claim(batch, n, job.id, job.attempts)
        try:
            if not await self._is_done(claim):
                raise GiveBackError
        finally:
            del self._tickets[job.id]
            self.progress.in_flight = len(self._tickets)

    async def _is_done(self, claim: Claim) -> bool:
        """Ask the item, and keep the result; False if it is still to be asked."""
        taken = await take(self.database, claim)
        if taken is None:
            return True
        async with self._served(claim, taken) as serving:
            if serving is None:
                return True
            result, keeper = await self._result(claim, taken, serving)
            if claim.is_lost:
                return True
            if result is not None:
                self.progress.add(result)
                await settle(self.database, claim, result, keeper.records)
            elif claim.is_kept_back or not _is_cancelled():  # else nobody knows what becomes of the request
                await take_back(self.database, claim)
            return await self._heed(claim, serving.runner.stopped) or result is not None

    async def _result(self, claim: Claim, taken: Taken, serving: Serving) -> tuple[Result | None, Keeper]:
        runner, item = serving.runner, taken.item
        claim.is_fetch = can_attach(runner.assistant(), taken.past)
        past = taken.past if claim.is_fetch else ()
        keeper = Keeper(self.database, claim, list(past))
        if any(not one.startswith(("https://", "http://")) for one in item.attachments):
            return failed(item.id, "invalid_request", "It names a file of the machine that submitted it."), keeper
        CLAIM.set(claim)
        try:
            return await runner.ask(Job(item, claim.n, keeper, past)), keeper
        except psycopg.Error:
            raise
        except Exception as error:  # noqa: BLE001 - one item must not end the worker, or be tried again and again
            return failed(item.id, "internal", f"{type(error).__name__}: {error}"), keeper

    @asynccontextmanager
    async def _served(self, claim: Claim, taken: Taken) -> AsyncIterator[Serving | None]:
        """What asks the items of the batch; None if nothing on this machine can, and then the batch is stopped."""
        async with self._opening:
            serving = self._servings.get(claim.batch)
            if serving is None or serving.run != taken.run:
                await self._close_unused()
                try:
                    serving = self._servings[claim.batch] = await serving_of(
                        self.database, claim, self.profiles, self.slots
                    )
                except AsstError as error:
                    await self._stop_batch(claim, "stopped", f"{error} {error.hint}".strip())
                    serving = None
        if serving is None:
            yield None
            return
        serving.active += 1
        try:
            yield serving
        finally:
            serving.active -= 1
            serving.used = time.monotonic()

    async def _close_unused(self) -> None:
        for batch, serving in list(self._servings.items()):
            if not serving.active and time.monotonic() - serving.used > UNUSED:
                await self._servings.pop(batch).runner.aclose()

    async def _heed(self, claim: Claim, stop: Stop | None) -> bool:
        """Heed why a runner stopped: the cost limit stops the batch, what is wrong with our key stops us. Whether the former."""
        if stop is None:
            return False
        if stop.why == "cap":
            await self._stop_batch(claim, "capped", stop.message)
            return True
        if self.stopped is None:
            self.stopped = stop
            self.stop()
        return False

    async def _stop_batch(self, claim: Claim, state: Literal["capped", "stopped"], why: str) -> None:
        await self.database.change(
            "UPDATE batch SET state = %s, stop = %s WHERE id = %s AND state = 'open'", state, why, claim.batch
        )


def _is_cancelled() -> bool:
    """Whether this task was told to end."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
