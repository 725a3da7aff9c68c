"""The sweep: gives back the tickets of workers that died, and makes those again that are missing.

It is a plain coroutine in every worker, and not a periodic job of procrastinate, which could itself be left by a worker that died.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import psycopg

from .database import Database

if TYPE_CHECKING:
    from procrastinate import App

__all__ = ["BEAT", "STALLED", "Sweep"]

BEAT = 3.0
"""Seconds between two heartbeats of a worker, and between two sweeps."""
STALLED = 10.0
"""A worker that was silent for so many seconds is taken for dead."""
LOCK = 1634956405
"""Of Postgres's advisory locks: one worker sweeps at a time."""


class Sweep:
    """Sweeps for a worker with these queues. `running` are the tickets that it has now, `worker` is its id at procrastinate."""

    def __init__(self, database: Database, app: App, queues: Sequence[str], running: Collection[int]) -> None:
        self._database, self._app, self._queues, self._running = database, app, queues, running
        self.worker: int | None = None
        self._last = 0.0
        self._not_before = 0.0
        self._suspects: set[int] = set()

    async def run(self) -> None:
        """Sweep again and again.

        Raises:
            psycopg.Error: the database was away for too long.
        """
        self._last = time.monotonic()
        while True:
            await asyncio.sleep(BEAT)
            with suppress(psycopg.OperationalError):  # the next one waits until the database is back
                await self._sweep()

    async def _sweep(self) -> None:
        await self._database.row("SELECT 1")  # waits for it, if it is away
        # After a silence, the database's or our own, workers may seem dead that had nowhere to send a heartbeat.
        now = time.monotonic()
        if now - self._last > 2 * BEAT:
            self._not_before = now + STALLED
        self._last = now
        if now < self._not_before:
            return
        async with self._database.pool.connection() as connection, connection.transaction():
            cursor = await connection.execute("SELECT pg_try_advisory_xact_lock(%s)", (LOCK,))
            if (await cursor.fetchone() or (False,))[0]:
                await self._give_back_stalled()
                await self._make_missing()
        await self._give_back_forgotten()

    async def _give_back_stalled(self) -> None:
        """Give back the tickets of workers that are silent."""
        manager = self._app.job_manager
        for job in await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED):
            if job.queue in self._queues:
                await manager.retry_job(job, retry_at=datetime.now(UTC))

    async def _make_missing(self) -> None:
        """If no ticket waits, make those of the items that wait without one."""
        await self._database.row(
            "SELECT sum(make_tickets(id, 0, 2147483647, false)) FROM batch WHERE state = 'open' AND queue = ANY(%s)"
            " AND EXISTS (SELECT FROM batch_item WHERE batch = batch.id AND state = 0) AND NOT EXISTS ("
            "SELECT FROM procrastinate_jobs WHERE status = 'todo' AND queue_name = batch.queue)",
            list(self._queues),
        )

    async def _give_back_forgotten(self) -> None:
        """Give back tickets that are ours by the database, and that we don't have: an answer of it was lost."""
        row = await self._database.row(
            "SELECT array_agg(id) FROM procrastinate_jobs WHERE status = 'doing' AND worker_id = %s", self.worker
        )
        missing = {job for job in (row[0] if row and row[0] else ()) if job not in self._running}
        for job in missing & self._suspects:
            await self._app.job_manager.retry_job_by_id_async(job, retry_at=datetime.now(UTC))
        self._suspects = missing
