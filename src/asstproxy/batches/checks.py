"""What is checked of all items before any of them goes into a provider's batch: their files, and what they could cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ..core.attachment import Attachment, check_accepted
from ..core.codec import now
from ..core.errors import AsstError
from ..core.events import Configured
from ..core.money import dollars
from ..files import read_attachment
from ..providers.batch_api import BATCH, BatchApi
from ..providers.budget import (
    LONGEST_ANSWER,
    SHORTEST_ANSWER,
    Budget,
    choices,
    file_tokens,
    most_tokens,
    set_limit,
)
from ..providers.registry import provider_info
from ..store.transcript import RequestEntry
from .item import Item
from .runner import configured_for

__all__ = ["CostLimitError", "checked"]


class CostLimitError(AsstError):
    """A batch could cost more than it may."""


async def checked(
    api: BatchApi, items: Iterator[Item], configured: Configured, budget: Budget | None
) -> dict[str, Any]:
    """The settings to add so that these items can't cost more than the budget has: a limit for the length of their answers.

    Raises:
        UsageError: a file can't be read, or the model doesn't take it.
        CostLimitError: they could cost more even if their answers were short.
    """
    most, accepted = _Most(), dict[str, Mapping[str, int]]()
    for item in items:
        asked = configured_for(item, configured, api.provider.provider)
        model = asked.model or api.provider.model
        files = [(await read_attachment(source)).attachment for source in item.attachments]
        if any(file.kind != "text" for file in files):
            if model not in accepted:
                accepted[model] = await api.provider.accepts(model)
            check_accepted(files, accepted[model], model)
        if budget is not None:
            most.add(_Asked(asked, model, api.provider.provider, item, files), budget)
    if budget is None:
        return {}
    settings = dict[str, Any]()
    if most.per_token:
        affordable = int((budget.left - most.fixed) / most.per_token)
        limit = max(min(LONGEST_ANSWER, affordable), SHORTEST_ANSWER)
        most.fixed += most.per_token * limit
        settings = {provider_info(api.provider.provider).output_limit: limit}
    if most.fixed > budget.left:
        raise CostLimitError(
            f"The batch could cost {dollars(most.fixed)}, and the limit is {dollars(budget.left)}. Nothing was sent.",
            "Allow it a higher cost, or limit the length of the answers.",
        )
    return settings


@dataclass(frozen=True, slots=True)
class _Asked:
    """An item, and who is asked."""

    configured: Configured
    model: str
    provider: str
    item: Item
    files: list[Attachment]

    def cost(self, budget: Budget, read: int, written: int) -> Decimal:
        entry = RequestEntry(
            now(), self.configured.profile, self.provider, self.model, input=read, output=written, service_tier=BATCH
        )
        return budget.prices.cost(entry).usd


@dataclass(slots=True)
class _Most:
    """What items cost at most: what is known, and for each token of the answers whose length nothing limits."""

    fixed: Decimal = Decimal(0)
    per_token: Decimal = Decimal(0)

    def add(self, asked: _Asked, budget: Budget) -> None:
        item, settings = asked.item, asked.configured.settings
        read = most_tokens(asked.configured.instructions, item.history, item.prompt, item.schema)
        read += file_tokens(asked.files)
        limit, count = set_limit(settings), choices(settings)
        if limit is not None:
            self.fixed += asked.cost(budget, read, limit * count)
            return
        of_input = asked.cost(budget, read, 0)
        self.fixed += of_input
        self.per_token += (asked.cost(budget, read, 1000) - of_input) / 1000 * count
