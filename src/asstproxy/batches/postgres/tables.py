"""The connection to the database: its tables are made by the first who needs them, and their version is checked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...core.errors import NotSetUpError
from .address import SCHEMA, Address, unreachable

if TYPE_CHECKING:
    from psycopg import AsyncConnection

__all__ = ["VERSION", "connected", "prepare"]

VERSION = 1
LOCK = 1634956403
"""Of Postgres's advisory locks: one process makes the tables."""


@asynccontextmanager
async def connected(address: Address) -> AsyncIterator[AsyncConnection[Any]]:
    """A connection in autocommit mode, once the tables are there and of our version.

    Raises:
        NotSetUpError: the tables are of another version.
        AsstError: the database can't be reached, or broke off.
    """
    import psycopg

    try:
        async with await psycopg.AsyncConnection.connect(address.conninfo, autocommit=True) as connection:
            await prepare(connection)
            yield connection
    except psycopg.Error as error:
        raise unreachable(address, error) from error


async def prepare(connection: AsyncConnection[Any]) -> None:
    """Make the tables if there are none, and check their version.

    Raises:
        NotSetUpError: they are of another version.
        psycopg.Error: they can't be read or made.
    """
    found = await _version(connection)
    if found is None:
        # Not within the transaction: that would begin before the lock is ours, and not see tables that were made meanwhile.
        await connection.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
        try:
            found = await _version(connection)
            if found is None:
                async with connection.transaction():
                    await _create(connection)
                return
        finally:
            await connection.execute("SELECT pg_advisory_unlock(%s)", (LOCK,))
    version, tickets = found
    if version > VERSION or tickets > _tickets_version():
        raise NotSetUpError(
            "The database's tables are of a newer asst.", "Upgrade asst: pip install -U 'asstproxy[batch-postgres]'"
        )
    if (version, tickets) != (VERSION, _tickets_version()):
        raise NotSetUpError(
            "The database's tables are of an older asst.",
            f"Collect its batches with that asst, then remove the tables: DROP SCHEMA {SCHEMA} CASCADE",
        )


async def _version(connection: AsyncConnection[Any]) -> tuple[int, str] | None:
    row = await (await connection.execute("SELECT to_regclass(%s)", (f"{SCHEMA}.about",))).fetchone()
    if row is None or row[0] is None:
        return None
    return await (await connection.execute("SELECT version, tickets FROM about")).fetchone()


async def _create(connection: AsyncConnection[Any]) -> None:
    from procrastinate.schema import SchemaManager

    await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
    await connection.execute(SchemaManager.get_schema())
    await connection.execute(Path(__file__).with_name("schema.sql").read_bytes())
    await connection.execute("INSERT INTO about VALUES (%s, %s)", (VERSION, _tickets_version()))


def _tickets_version() -> str:
    """The last change of procrastinate's tables that the installed package knows: `03.04.00`."""
    from importlib import util

    spec = util.find_spec("procrastinate")  # found without an import, which takes 0.2 s
    assert spec is not None and spec.origin is not None  # noqa: S101, PT018 - `address_of` looked
    names = Path(spec.origin).with_name("sql").joinpath("migrations").glob("*.sql")
    return max((path.name.partition("_")[0] for path in names), default="")
