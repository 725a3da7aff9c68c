"""The database as a worker uses it: a pool of connections that outlasts a restart of Postgres."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from .address import Address, unreachable
from .tables import connected

if TYPE_CHECKING:
    from psycopg import AsyncConnection
    from psycopg_pool import AsyncConnectionPool

__all__ = ["OUTAGE", "Database", "patiently", "pooled"]

T = TypeVar("T")

OUTAGE = 600.0
"""Seconds for which a database may be away; its results wait that long in a worker."""
_AGAIN = 0.5
"""Seconds between two attempts."""


async def patiently(what: Callable[[], Awaitable[T]], *, passing: Callable[[BaseException], bool]) -> T:
    """The result of `what`, called again as long as the database is away; `passing` says whether an error means that.

    Raises:
        Exception: what it raised, after `OUTAGE`.
    """
    until = time.monotonic() + OUTAGE
    while True:
        try:
            return await what()
        except Exception as error:
            if not passing(error) or time.monotonic() > until:
                raise
        await asyncio.sleep(_AGAIN)


class Database:
    """A pool of connections in autocommit mode."""

    def __init__(self, address: Address, pool: AsyncConnectionPool[AsyncConnection[Any]]) -> None:
        self.address, self.pool = address, pool
        self._later: set[asyncio.Task[object]] = set()

    def later(self, change: Coroutine[Any, Any, object]) -> None:
        """Let a change happen soon, without waiting for it. `flush` waits; one that fails is left out."""
        task = asyncio.ensure_future(change)
        self._later.add(task)
        task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[object]) -> None:
        self._later.discard(task)
        if not task.cancelled():
            task.exception()

    async def flush(self) -> None:
        """Wait for the changes that were to happen later."""
        while self._later:
            await asyncio.wait(set(self._later))

    async def row(self, query: str, *values: Any) -> tuple[Any, ...] | None:
        """The first row of a statement, which may run twice if the connection breaks; None without one.

        Raises:
            psycopg.Error: the database refuses it, or was away for longer than `OUTAGE`.
        """

        async def run() -> tuple[Any, ...] | None:
            async with self.pool.connection() as connection:
                cursor = await connection.execute(query.encode(), values)
                return await cursor.fetchone() if cursor.description else None

        return await patiently(run, passing=_is_passing)

    async def change(self, query: str, *values: Any) -> int:
        """Run a statement as `row` does; how many rows it has changed.

        Raises:
            psycopg.Error: the database refuses it, or was away for longer than `OUTAGE`.
        """

        async def run() -> int:
            async with self.pool.connection() as connection:
                return (await connection.execute(query.encode(), values)).rowcount

        return await patiently(run, passing=_is_passing)


def _is_passing(error: BaseException) -> bool:
    from psycopg import OperationalError

    return isinstance(error, OperationalError)


@asynccontextmanager
async def pooled(address: Address, most: int) -> AsyncIterator[Database]:
    """The database, with at most so many connections.

    Raises:
        NotSetUpError: its tables are of another version.
        AsstError: it can't be reached, or was away for longer than `OUTAGE`.
    """
    import psycopg
    from psycopg_pool import AsyncConnectionPool

    async with connected(address):
        pass
    pool = AsyncConnectionPool(
        address.conninfo,
        min_size=1,
        max_size=most,
        open=False,
        configure=_configure,
        reconnect_timeout=OUTAGE,
    )
    try:
        await pool.open()
        yield Database(address, pool)
    except psycopg.Error as error:
        raise unreachable(address, error) from error
    finally:
        await pool.close()


async def _configure(connection: AsyncConnection[Any]) -> None:
    await connection.set_autocommit(True)
