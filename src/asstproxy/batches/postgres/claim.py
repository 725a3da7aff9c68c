"""A claim: the right of one worker to ask one item, which its ticket stands for; and what becomes of the item."""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import msgspec

from ...core.codec import decode, encode
from ...core.errors import AssistantError
from ...core.events import Heartbeat, Record
from ..item import Item
from ..ledger import Status
from ..result import Result
from .database import Database
from .spec import decode_item

__all__ = ["CLAIM", "Claim", "Keeper", "Taken", "lost", "settle", "take", "take_back"]


@dataclass(slots=True)
class Claim:
    """`ticket` is a job of procrastinate, `attempt` how often it was given back before. `is_fetch`: the answer exists already.

    `is_kept_back`: it waits for money, and nothing is sent. `is_lost`: the item is another worker's, or nobody's any more; what we
    know of it isn't kept.
    """

    batch: int
    n: int
    ticket: int
    attempt: int
    is_fetch: bool = False
    is_kept_back: bool = False
    is_lost: bool = False


CLAIM: ContextVar[Claim] = ContextVar("CLAIM")
"""That of the item which this task asks."""


def lost(claim: Claim) -> AssistantError:
    """The claim is lost: what ends the exchange."""
    claim.is_lost = True
    return AssistantError("interrupted", "The item is another worker's.")


@dataclass(frozen=True, slots=True)
class Taken:
    """An item to ask, and what an earlier attempt left of it. `run`: that of its batch."""

    item: Item
    run: int
    past: Sequence[Record]


async def take(database: Database, claim: Claim) -> Taken | None:
    """The item of a claim; None if there is nothing to do: it has settled, its batch is closed, or another ticket has it.

    Raises:
        psycopg.Error: the database failed.
    """
    row = await database.row(
        "SELECT item.item, item.records, batch.run FROM batch_item AS item JOIN batch ON batch.id = item.batch"
        " WHERE item.batch = %s AND item.n = %s AND item.state = 0 AND batch.state = 'open' AND (item.ticket IS NULL"
        " OR item.ticket = %s OR NOT EXISTS (SELECT FROM procrastinate_jobs WHERE id = item.ticket AND status = 'doing'))",
        claim.batch,
        claim.n,
        claim.ticket,
    )
    if row is None:
        return None
    item, records, run = row
    return Taken(decode_item(item), run, [decode(line) for line in records.splitlines()] if records else [])


async def settle(database: Database, claim: Claim, result: Result, records: Sequence[Record]) -> bool:
    """Keep the result of an item; False if somebody else's was there first: that one counts.

    Raises:
        psycopg.Error: the database failed.
    """
    changed = await database.change(
        "UPDATE batch_item SET state = %s, result = %s, records = %s, input_tokens = %s, output_tokens = %s, cost = %s"
        " WHERE batch = %s AND n = %s AND state = 0",
        int(Status.FAILED if result.is_failed else Status.DONE),
        msgspec.json.encode(result),
        _lines(records),
        result.usage.input,
        result.usage.output,
        result.cost,
        claim.batch,
        claim.n,
    )
    return changed == 1


async def take_back(database: Database, claim: Claim) -> None:
    """Note that the item has still to be asked, and that no request of this attempt is charged any more: who asks it next doesn't
    ask it twice.

    Raises:
        psycopg.Error: the database failed.
    """
    await database.change(
        "UPDATE batch_item SET asked_by = NULL WHERE batch = %s AND n = %s AND state = 0 AND asked_by = %s",
        claim.batch,
        claim.n,
        f"{claim.ticket}.{claim.attempt}",  # as in `admit`
    )


def _lines(records: Sequence[Record]) -> bytes:
    return b"".join(encode(record) + b"\n" for record in records)


@dataclass(slots=True)
class Keeper:
    """The sink of an item: it collects the records, and keeps in the database how to fetch the answer as soon as that is known."""

    database: Database
    claim: Claim
    records: list[Record]
    _token: Any = field(default=None)

    def __call__(self, record: Record) -> None:
        """Take a record."""
        self.records.append(record)
        if isinstance(record.event, Heartbeat) and record.event.resume not in (None, self._token):
            self._token = record.event.resume
            self.database.later(self._keep(_lines(self.records)))

    async def _keep(self, records: bytes) -> None:
        await self.database.change(
            "UPDATE batch_item SET records = %s WHERE batch = %s AND n = %s AND state = 0 AND ticket = %s",
            records,
            self.claim.batch,
            self.claim.n,
            self.claim.ticket,
        )
