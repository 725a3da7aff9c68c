"""Submitting a batch: its items go into the database, each once, and each gets a ticket."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from ...core.errors import UsageError
from ..item import Item
from ..ledger import Ledger
from .spec import Spec, encode_item, queue_of, signed

if TYPE_CHECKING:
    from psycopg import AsyncConnection

__all__ = ["Limits", "Submitted", "submit"]

CHUNK = 5000
"""Items of one transaction: workers begin with the first ones while the others are on their way."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What holds for a batch over all workers: requests and tokens a minute, US dollars for all of it."""

    rpm: int | None = None
    tpm: int | None = None
    max_cost: float | None = None


@dataclass(frozen=True, slots=True)
class Submitted:
    """A batch in the database: its number there, how many items it has, and how many of them are new."""

    batch: int
    items: int
    added: int


async def submit(
    connection: AsyncConnection[Any],
    name: str,
    spec: Spec,
    limits: Limits,
    items: Iterable[Item],
    ledger: Ledger,
    *,
    out: str,
    source: str,
    reopening: Callable[[int], None] | None = None,
) -> Submitted:
    """Let the database have these items, which the ledger has accepted, as the batch of this name; open it if it was stopped.

    What is there already stays as it is. `reopening`: those that failed are to be asked again; it is called
    before, with the number of the first one. Messages name `out` and `source`.

    Raises:
        UsageError: the batch has items that aren't these, or one of them has changed; nothing is added.
        psycopg.Error: the database failed; what is there is whole, and the next call adds the rest.
    """
    queue = queue_of(spec.configured.profile, spec.configured.provider)
    known = bytearray(len(ledger))
    row = await (await connection.execute("SELECT id, queue FROM batch WHERE name = %s", (name,))).fetchone()
    if row is not None:
        if row[1] != queue:
            raise UsageError(f"{out} was submitted for another profile.", "Name that profile.")
        await _compare(connection, row[0], ledger, known, out=out, source=source)
    row = await (
        await connection.execute(
            "INSERT INTO batch AS old (name, queue, spec, rpm, tpm, max_cost) VALUES (%s, %s, %s, %s, %s, %s)"
            " ON CONFLICT (name) DO UPDATE SET spec = excluded.spec, rpm = excluded.rpm, tpm = excluded.tpm,"
            " max_cost = excluded.max_cost, state = 'open', stop = '',"
            " run = old.run + (old.state <> 'open' OR (old.spec, old.rpm, old.tpm, old.max_cost)"
            " IS DISTINCT FROM (excluded.spec, excluded.rpm, excluded.tpm, excluded.max_cost))::integer RETURNING id",
            (name, queue, msgspec.json.encode(spec), limits.rpm, limits.tpm, limits.max_cost),
        )
    ).fetchone()
    batch = row[0] if row is not None else 0
    if reopening is not None:
        first = await connection.execute("SELECT min(n) FROM batch_item WHERE batch = %s AND state = 2", (batch,))
        for (failed,) in await first.fetchall():
            if failed is not None:
                reopening(failed)
        await connection.execute(
            "UPDATE batch_item SET state = 0, result = NULL, records = NULL, cost = NULL, asked_by = NULL, ticket = NULL,"
            " input_tokens = 0, output_tokens = 0 WHERE batch = %s AND state = 2",
            (batch,),
        )
    await connection.execute("SELECT make_tickets(%s, 0, 2147483647, false)", (batch,))
    present = sum(known)
    number = present
    for chunk in _chunks(items, ledger, known):
        async with connection.transaction():
            async with (
                connection.cursor() as cursor,
                cursor.copy("COPY batch_item (batch, n, id, body, item) FROM STDIN") as copy,
            ):
                for at, item in enumerate(chunk, number):
                    await copy.write_row((batch, at, item.id, signed(item.body), encode_item(item)))
            await connection.execute("SELECT make_tickets(%s, %s, %s, true)", (batch, number, number + len(chunk)))
        number += len(chunk)
    return Submitted(batch, number, number - present)


async def _compare(
    connection: AsyncConnection[Any], batch: int, ledger: Ledger, known: bytearray, *, out: str, source: str
) -> None:
    """Mark the items that the database has already; check that they are these."""
    async with connection.transaction(), connection.cursor("items") as cursor:
        cursor.itersize = CHUNK
        await cursor.execute("SELECT id, body FROM batch_item WHERE batch = %s", (batch,))
        async for item, body in cursor:
            number = ledger.find(item)
            if number is None:
                raise UsageError(
                    f'{out} belongs to another input: its item "{item}" isn\'t in {source}.',
                    "Choose another output file.",
                )
            if signed(ledger.body(number)) != body:
                raise UsageError(
                    f'The item "{item}" was submitted with another text before.',
                    "Give it a new id, or choose another output file.",
                )
            known[number] = 1


def _chunks(items: Iterable[Item], ledger: Ledger, known: bytearray) -> Iterator[list[Item]]:
    """The items that are not known, in lists.

    Raises:
        UsageError: the input has changed since the ledger was made.
    """
    chunk: list[Item] = []
    for number, item in enumerate(items):
        if number >= len(ledger) or ledger.body(number) != item.body:
            raise UsageError(f"The input was changed while it was read, in line {item.line}.", "Run the command again.")
        if known[number]:
            continue
        chunk.append(item)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
