"""The cost limit of a batch over all workers: what a request could cost is reserved in the database before it goes out."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from decimal import Decimal
from typing import cast

from ...core.events import Event, ToolResult
from ...core.roles import AssistantProxy, Attachable, Structured
from ...core.turn import Turn
from ...providers.budget import Budget
from ...providers.fallback import accepted_by
from .claim import CLAIM, lost
from .database import Database
from .throttle import LOOK

__all__ = ["SharedBudget", "with_shared_budget"]


class SharedBudget(Budget):
    """What the batch of this task may spend, as the database said last; for one assistant."""

    def __init__(self, limit: float, database: Database) -> None:
        super().__init__(limit)
        self._database, self._saved = database, Decimal(0)

    @property
    def unsaved(self) -> Decimal:
        """What is spent or reserved since the last look."""
        return self.spent - self._saved

    async def look(self, *, is_waiting: bool = False) -> None:
        """Let the budget be what the database says. In flight is what a ticket is being worked on for, and not what was reserved
        for a worker that died: its items would wait for those that wait for them.

        Raises:
            AssistantError: the batch was stopped or cancelled meanwhile (`is_waiting`).
            psycopg.Error: the database failed.
        """
        claim = CLAIM.get()
        row = await self._database.row(
            "SELECT state, max_cost, spent + reserved, (SELECT coalesce(sum(item.reserved), 0) FROM procrastinate_jobs AS job"
            " JOIN batch_item AS item ON item.batch = batch.id AND item.n = (job.args ->> 'n')::integer"
            " AND item.ticket = job.id WHERE job.status = 'doing' AND job.queue_name = batch.queue)"
            " FROM batch WHERE id = %s",
            claim.batch,
        )
        state, limit, spent, in_flight = row or ("cancelled", None, Decimal(0), Decimal(0))
        if is_waiting and state != "open":
            raise lost(claim)
        self.limit = limit if limit is not None else Decimal("Infinity")
        self.spent = self._saved = spent
        self.in_flight = in_flight

    async def wait(self) -> None:
        """See `Budget`. Other workers don't say when a request of theirs is over."""
        await asyncio.sleep(LOOK)
        await self.look(is_waiting=True)


def with_shared_budget(assistant: AssistantProxy, budget: SharedBudget, database: Database) -> AssistantProxy:
    """The assistant, whose `budget` (its own, see `providers.budget`) is filled from the database for each request."""
    made = AttachableGranted if isinstance(assistant, Attachable) else GrantedProvider
    return made(assistant, budget, database)


class GrantedProvider:
    """An Assistant Proxy that delegates to another; see `with_shared_budget`."""

    def __init__(self, assistant: AssistantProxy, budget: SharedBudget, database: Database) -> None:
        self.assistant = assistant
        self.provider, self.model = assistant.provider, assistant.model
        if isinstance(assistant, Structured):
            self.structured = assistant.structured
        self._budget, self._database = budget, database

    def start_processing(self, turn: Turn) -> AsyncGenerator[Event]:
        """See `AssistantProxy`."""
        return self._granted(lambda: self.assistant.start_processing(turn))

    def submit_tool_outputs(self, results: Sequence[ToolResult]) -> AsyncGenerator[Event]:
        """See `AssistantProxy`."""
        return self._granted(lambda: self.assistant.submit_tool_outputs(results))

    async def accepts(self, model: str) -> Mapping[str, int]:
        """See `AcceptsAttachments`."""
        return await accepted_by(self.assistant, model)

    async def aclose(self) -> None:
        """Close the assistant."""
        await self.assistant.aclose()

    async def _granted(self, request: Callable[[], AsyncIterator[Event]]) -> AsyncGenerator[Event]:
        """The events of a request. Its first one (`started`) comes before anything is sent, and what it reserves is known then."""
        claim = CLAIM.get()
        while True:
            claim.is_kept_back = True
            await self._budget.look()
            async with contextlib.aclosing(cast("AsyncGenerator[Event]", request())) as events:
                first = await anext(events)
                if not await self._reserve(self._budget.unsaved):
                    continue  # another worker was faster
                claim.is_kept_back = False
                try:
                    yield first
                    async for event in events:
                        yield event
                finally:
                    await self._settle(self._budget.unsaved)
                return

    async def _reserve(self, most: Decimal) -> bool:
        if not most:
            return True
        claim = CLAIM.get()
        return (
            await self._database.change(
                "WITH granted AS (UPDATE batch SET reserved = reserved + %s"
                " WHERE id = %s AND (max_cost IS NULL OR spent + reserved + %s <= max_cost) RETURNING id)"
                " UPDATE batch_item SET reserved = reserved + %s FROM granted WHERE batch = granted.id AND n = %s",
                most,
                claim.batch,
                most,
                most,
                claim.n,
            )
            == 1
        )

    async def _settle(self, cost: Decimal) -> None:
        claim = CLAIM.get()
        await self._database.change(
            "WITH held AS (SELECT reserved FROM batch_item WHERE batch = %s AND n = %s), freed AS ("
            "UPDATE batch_item SET reserved = 0 WHERE batch = %s AND n = %s)"
            " UPDATE batch SET spent = spent + %s, reserved = batch.reserved - held.reserved FROM held WHERE id = %s",
            *(claim.batch, claim.n, claim.batch, claim.n, cost, claim.batch),
        )


class AttachableGranted(GrantedProvider):
    """The same for an assistant that can continue an exchange that another worker left running."""

    def attach(self, turn: Turn) -> AsyncGenerator[Event]:
        """See `Attachable`: its request was sent, and its cost reserved, before."""
        return self._granted(lambda: cast("Attachable", self.assistant).attach(turn))
