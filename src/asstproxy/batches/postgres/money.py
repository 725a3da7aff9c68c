"""The cost limit of a batch over all workers: what a request could cost is reserved in the database before it goes out."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from decimal import Decimal
from typing import cast

from ...core.events import Event, ToolResult
from ...core.roles import AssistantProxy, Attachable, Structured
from ...core.turn import Turn
from ...providers.budget import Budget
from ...providers.fallback import accepted_by
from .claim import CLAIM
from .database import Database

__all__ = ["with_shared_budget"]


def with_shared_budget(assistant: AssistantProxy, budget: Budget, database: Database) -> AssistantProxy:
    """The assistant, whose `budget` (its own, see `providers.budget`) is filled from the database for each request."""
    made = AttachableGranted if isinstance(assistant, Attachable) else GrantedProvider
    return made(assistant, budget, database)


class GrantedProvider:
    """An Assistant Proxy that delegates to another; see `with_shared_budget`."""

    def __init__(self, assistant: AssistantProxy, budget: Budget, database: Database) -> None:
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
        while True:
            before = await self._left()
            async with contextlib.aclosing(cast("AsyncGenerator[Event]", request())) as events:
                first = await anext(events)
                if not await self._reserve(self._budget.spent - before):
                    continue  # another worker was faster
                try:
                    yield first
                    async for event in events:
                        yield event
                finally:
                    await self._settle(self._budget.spent - before)
                return

    async def _left(self) -> Decimal:
        """Let the budget be what the database says; returns what is spent or reserved."""
        row = await self._database.row("SELECT max_cost, spent + reserved FROM batch WHERE id = %s", CLAIM.get().batch)
        limit, spent = row or (None, Decimal(0))
        self._budget.limit = limit if limit is not None else Decimal("Infinity")
        self._budget.spent = spent
        return self._budget.spent

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
