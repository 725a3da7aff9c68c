"""Collecting: how far a batch is, and its results in the order of the input, however many there are."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from ..result import Result
from .sweep import STALLED

if TYPE_CHECKING:
    from psycopg import AsyncConnection

__all__ = ["Counts", "Settled", "batch_of", "cancel", "counts", "doubted", "each_settled", "names", "ready"]

AT_ONCE = 500
"""Results that are read from the cursor together."""


class Counts(msgspec.Struct, frozen=True):
    """How far a batch is. `state` is `open`, `cancelled`, `capped` at the cost limit or `stopped` (why: `stop`). Money is in US
    dollars.

    `maybe_twice`: items that were asked anew after a worker died or paused, whose first request may be charged, too. `workers`:
    how many there are for its profile and others.
    """

    state: str
    stop: str
    items: int
    done: int
    failed: int
    in_flight: int
    maybe_twice: int
    input_tokens: int
    output_tokens: int
    cost: float
    workers: int

    @property
    def is_over(self) -> bool:
        """Whether every item has settled."""
        return self.done + self.failed >= self.items


class Settled(NamedTuple):
    """An item that has settled; `n` is its place in the output, from 0, and `body` as in `spec.signed`."""

    n: int
    body: int
    result: Result
    records: bytes


async def batch_of(connection: AsyncConnection[Any], name: str) -> int | None:
    """The number of the batch with this name.

    Raises:
        psycopg.Error: the database failed.
    """
    row = await (await connection.execute("SELECT id FROM batch WHERE name = %s", (name,))).fetchone()
    return None if row is None else int(row[0])


async def names(connection: AsyncConnection[Any]) -> Sequence[tuple[int, str]]:
    """The batches of the database, by number and name, the oldest first.

    Raises:
        psycopg.Error: the database failed.
    """
    return await (await connection.execute("SELECT id, name FROM batch ORDER BY id")).fetchall()


async def counts(connection: AsyncConnection[Any], batch: int) -> Counts:
    """How far a batch is.

    Raises:
        psycopg.Error: the database failed.
    """
    row = await (
        await connection.execute(
            "SELECT batch.state, batch.stop, count(*) FILTER (WHERE n IS NOT NULL), count(*) FILTER (WHERE item.state = 1),"
            " count(*) FILTER (WHERE item.state = 2), (SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing'"
            " AND queue_name = batch.queue AND (args ->> 'batch')::integer = batch.id),"
            " count(*) FILTER (WHERE doubts > 0), coalesce(sum(input_tokens), 0), coalesce(sum(output_tokens), 0),"
            " coalesce(sum(cost), 0), (SELECT count(*) FROM procrastinate_workers"
            " WHERE last_heartbeat > now() - %s * interval '1 second')"
            " FROM batch LEFT JOIN batch_item AS item ON item.batch = batch.id WHERE batch.id = %s GROUP BY batch.id",
            (STALLED, batch),
        )
    ).fetchone()
    assert row is not None  # noqa: S101 - batches are never removed
    items, done, failed, in_flight, maybe_twice, given, received = map(int, row[2:9])
    return Counts(
        row[0], row[1], items, done, failed, in_flight, maybe_twice, given, received, float(row[9]), int(row[10])
    )


async def doubted(connection: AsyncConnection[Any], batch: int, most: int) -> list[str]:
    """The ids of the first items that `maybe_twice` counts.

    Raises:
        psycopg.Error: the database failed.
    """
    cursor = await connection.execute(
        "SELECT id FROM batch_item WHERE batch = %s AND doubts > 0 ORDER BY n LIMIT %s", (batch, most)
    )
    return [row[0] for row in await cursor.fetchall()]


async def ready(connection: AsyncConnection[Any], batch: int) -> int:
    """How many items, from the first one on, have settled without a gap.

    Raises:
        psycopg.Error: the database failed.
    """
    row = await (
        await connection.execute(
            "SELECT coalesce((SELECT min(n) FROM batch_item WHERE batch = %s AND state = 0),"
            " (SELECT max(n) + 1 FROM batch_item WHERE batch = %s), 0)",
            (batch, batch),
        )
    ).fetchone()
    return int(row[0]) if row is not None else 0


async def each_settled(
    connection: AsyncConnection[Any], batch: int, low: int, high: int
) -> AsyncIterator[list[Settled]]:
    """The results of the items from `low` up to (without) `high`, in order; only some of them are in memory.

    Raises:
        psycopg.Error: the database failed.
    """
    decoder = msgspec.json.Decoder(Result)
    async with connection.transaction(), connection.cursor("results") as cursor:
        await cursor.execute(
            "SELECT n, body, result, records FROM batch_item WHERE batch = %s AND n >= %s AND n < %s AND state > 0 ORDER BY n",
            (batch, low, high),
        )
        while rows := await cursor.fetchmany(AT_ONCE):
            yield [Settled(n, body, decoder.decode(result), bytes(records or b"")) for n, body, result, records in rows]


async def cancel(connection: AsyncConnection[Any], batch: int) -> None:
    """Ask nothing more of a batch; what is in flight is finished, and kept.

    Raises:
        psycopg.Error: the database failed.
    """
    async with connection.transaction():
        await connection.execute("UPDATE batch SET state = 'cancelled' WHERE id = %s", (batch,))
        await connection.execute(
            "DELETE FROM procrastinate_jobs AS job USING batch WHERE batch.id = %s AND job.queue_name = batch.queue"
            " AND job.status = 'todo' AND (job.args ->> 'batch')::integer = batch.id",
            (batch,),
        )
