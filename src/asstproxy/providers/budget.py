"""A limit for what requests cost: one that could pass it is not sent.

Before each request its largest cost is reserved: the tokens of what is sent, estimated, and the limit of the answer. Afterwards
the real cost takes the place of the reservation. Without a limit for the answer no such bound exists, so one is set.

Where many requests share a budget, one waits while it is only the reservations of others that keep it back.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, cast

import msgspec

from ..config.prices import prices_file
from ..core.attachment import Attachment
from ..core.coalesce import TEXT_EVENTS
from ..core.codec import now
from ..core.errors import AssistantError, UsageError
from ..core.events import Event, MessageIncomplete, Started, ToolOutputsSubmitted, ToolResult, Usage
from ..core.history import UserMessage
from ..core.money import Cost, dollars
from ..core.roles import CLOSING, AssistantProxy, Attachable, Structured
from ..core.turn import Turn
from ..store.transcript import RequestEntry
from .fallback import accepted_by
from .prices import PriceTable
from .registry import provider_info

__all__ = [
    "LONGEST_ANSWER",
    "MAX_COST",
    "SHORTEST_ANSWER",
    "Budget",
    "BudgetedProvider",
    "choices",
    "file_tokens",
    "most_tokens",
    "set_limit",
    "within_budget",
]

MAX_COST = "max_cost"
"""How the reason of a `MessageIncomplete` begins that took the place of a request."""
LONGEST_ANSWER = 8192
"""Tokens to which an answer is limited if no setting does; fewer if the rest of the money buys fewer."""
SHORTEST_ANSWER = 1024
"""Tokens of an answer for which it is worth asking."""
SMALLEST_SHOWN = Decimal("0.0001")
"""In US dollars; `dollars` writes less only as "less than"."""
ROUNDS = 4
"""Where tools are offered, one request may take this part of the money."""
BYTES_PER_TOKEN = 3
"""English has four and more; too many estimated tokens reserve too much, too few could pass the limit."""
IMAGE_TOKENS = 10_000
"""More than any API counts for one image."""
FILE_BYTES_PER_TOKEN = 10
"""Of a PDF, audio or video."""
_LIMITS = ("max_output_tokens", "maxOutputTokens", "max_completion_tokens", "max_tokens")
_CHOICES = ("n", "candidate_count", "candidateCount")


class Budget:
    """What may be spent, in US dollars, and what is: by this process, however many assistants share it.

    `in_flight` is the part of `spent` that is reserved for requests which aren't over.

    Raises:
        UsageError: the limit isn't a positive amount.
        NotSetUpError: `prices.toml` has an error.
    """

    def __init__(self, limit: float) -> None:
        if not (math.isfinite(limit) and limit > 0):
            raise UsageError(
                f"The cost limit must be a positive amount in US dollars, not {limit:g}.", "For example: 0.50"
            )
        self.limit, self.spent, self.in_flight = Decimal(str(limit)), Decimal(0), Decimal(0)
        self.prices = PriceTable()
        self._settled = asyncio.Event()

    @property
    def left(self) -> Decimal:
        """What may still be spent."""
        return self.limit - self.spent

    def reserve(self, most: Decimal) -> None:
        """A request is sent that could cost this."""
        self.spent += most
        self.in_flight += most

    def settle(self, most: Decimal, cost: Decimal) -> None:
        """A request for which `most` was reserved costs this."""
        self.spent += cost - most
        self.in_flight -= most
        self._settled.set()

    async def wait(self) -> None:
        """Wait until a request in flight is settled."""
        self._settled.clear()
        await self._settled.wait()


def within_budget(assistant: AssistantProxy, budget: Budget, profile: str, model: str = "") -> AssistantProxy:
    """The assistant, which sends no request that could pass the budget. `model` answers if it isn't the assistant's own.

    Raises:
        UsageError: the price of the model is unknown, or the length of its answers can't be limited.
    """
    made = AttachableBudgeted if isinstance(assistant, Attachable) else BudgetedProvider
    return made(assistant, budget, profile, model)


class BudgetedProvider:
    """An Assistant Proxy that delegates to another; see `within_budget`."""

    def __init__(self, assistant: AssistantProxy, budget: Budget, profile: str, model: str = "") -> None:
        self.assistant = assistant
        self.provider, self.model = assistant.provider, assistant.model
        if isinstance(assistant, Structured):
            self.structured = assistant.structured
        self._budget, self._profile = budget, profile
        self._limit = provider_info(self.provider).output_limit
        self._turn = Turn("")
        self._context = 0  # tokens of the conversation up to the last answer
        price = self._cost(model or self.model, 1, 1)
        if price.unknown:
            raise UsageError(
                f"The price of {model or self.model or self.provider} is unknown, so its cost can't be limited.",
                f"Add it to {prices_file()}.",
                code="price_unknown",
                data={"file": str(prices_file())},
            )
        if price.priced and not self._limit:
            raise UsageError(
                f"The length of answers of {self.provider} can't be limited, so their cost can't be, either.",
                code="cost_unlimited",
            )

    def start_processing(self, turn: Turn) -> AsyncGenerator[Event]:
        """See `AssistantProxy`."""
        self._context = most_tokens(turn.instructions, turn.history, turn.tools, turn.text) + _file_tokens(turn)
        opening = Started(self.provider, turn.model or self.model)
        return self._affordable(turn, opening, self.assistant.start_processing)

    def submit_tool_outputs(self, results: Sequence[ToolResult]) -> AsyncGenerator[Event]:
        """See `AssistantProxy`. The limit of an answer stays that of the first request, so the money must be there."""
        self._context += most_tokens(results)
        return self._affordable(
            self._turn, ToolOutputsSubmitted(), lambda _: self.assistant.submit_tool_outputs(results)
        )

    async def accepts(self, model: str) -> Mapping[str, int]:
        """See `AcceptsAttachments`."""
        return await accepted_by(self.assistant, model)

    async def aclose(self) -> None:
        """Close the assistant."""
        await self.assistant.aclose()

    async def _affordable(
        self, turn: Turn, opening: Event, request: Callable[[Turn], AsyncIterator[Event]]
    ) -> AsyncGenerator[Event]:
        """The events of a request, or a refusal. While others are in flight, their reservations count only until they are over."""
        while True:
            self._turn, reserved, refusal, is_cut = self._reserve(turn)
            if not (refusal or is_cut) or not self._budget.in_flight:
                break
            await self._budget.wait()
        events = _refused(opening, refusal) if refusal else self._metered(request(self._turn), reserved)
        async with contextlib.aclosing(events):
            async for event in events:
                yield event

    async def _metered(self, events: AsyncIterator[Event], reserved: Decimal) -> AsyncGenerator[Event]:
        """The events; the cost that they report takes the place of what was reserved. Without a report it stays reserved."""
        budget = self._budget
        budget.reserve(reserved)
        reported = begun = False
        charged = reserved
        try:
            async with contextlib.aclosing(cast("AsyncGenerator[Event]", events)) as stream:
                async for event in stream:
                    if isinstance(event, Usage):
                        budget.settle(Decimal(0) if reported else reserved, self._settled(event))
                        reported = True
                    begun = begun or isinstance(event, (*TEXT_EVENTS, *CLOSING))
                    yield event
        except AssistantError:
            if not begun:  # nothing was answered, so nothing is charged
                charged = Decimal(0)
            raise
        finally:
            if not reported:
                budget.settle(reserved, charged)

    def _settled(self, usage: Usage) -> Decimal:
        self._context = usage.input_tokens + usage.output_tokens
        return self._budget.prices.cost(
            RequestEntry(
                now(),
                self._profile,
                self.provider,
                self._turn.model or self.model,
                input=usage.input_tokens,
                output=usage.output_tokens,
                cached=usage.cached_tokens,
                cache_write=usage.cache_write_tokens,
                cost=usage.cost,
                service_tier=usage.service_tier,
            )
        ).usd

    def _reserve(self, turn: Turn) -> tuple[Turn, Decimal, str, bool]:
        """The turn, with a limit for its answer; what the request could cost; why it can't be sent, or an empty text; whether
        there is too little money for the longest answer.
        """
        model, read, left = turn.model or self.model, self._context, self._budget.left
        if not self._cost(model, 1, 1).priced:  # local
            return turn, Decimal(0), "", False
        limit, count, is_cut = set_limit(turn.settings), choices(turn.settings), False
        if limit is None:
            of_input = self._cost(model, read, 0).usd
            each = (self._cost(model, read, 1000).usd - of_input) / 1000 * count
            affordable = int((left - of_input) / each) if each else LONGEST_ANSWER
            if turn.tools:  # this limit holds for the rounds that follow, too, and they need money
                affordable //= ROUNDS
            limit = max(min(LONGEST_ANSWER, affordable), SHORTEST_ANSWER)
            is_cut = limit < LONGEST_ANSWER
            turn = msgspec.structs.replace(turn, settings={**turn.settings, self._limit: limit})
        most = self._cost(model, read, limit * count).usd
        return turn, most, "" if most <= left else self._refusal(most), is_cut

    def _refusal(self, most: Decimal) -> str:
        budget = self._budget
        spent = f"{dollars(budget.spent)} of it is spent" if budget.spent else "nothing is spent"
        limit = f"${budget.limit:f}" if budget.limit < SMALLEST_SHOWN else dollars(budget.limit)
        return f"{MAX_COST}: the next request could cost {dollars(most)}; the limit is {limit}, and {spent}"

    def _cost(self, model: str, read: int, written: int) -> Cost:
        return self._budget.prices.cost(
            RequestEntry(now(), self._profile, self.provider, model, input=read, output=written)
        )


class AttachableBudgeted(BudgetedProvider):
    """The same for an assistant that can continue an exchange that another process left running."""

    def attach(self, turn: Turn) -> AsyncGenerator[Event]:
        """See `Attachable`: the request was sent before, so nothing is reserved."""
        self._turn = turn
        return self._metered(cast("Attachable", self.assistant).attach(turn), Decimal(0))


async def _refused(opening: Event, reason: str) -> AsyncGenerator[Event]:
    yield opening
    yield MessageIncomplete("", reason)


def most_tokens(*parts: Any) -> int:
    """About how many tokens these are, rather too many."""
    return 1 + sum(len(msgspec.json.encode(part)) for part in parts if part) // BYTES_PER_TOKEN


def _file_tokens(turn: Turn) -> int:
    sent = [one.attachments for one in turn.history if isinstance(one, UserMessage)]
    return file_tokens(file for together in (*sent, turn.attachments) for file in together)


def file_tokens(files: Iterable[Attachment]) -> int:
    """About how many tokens these files are, rather too many."""
    return sum(IMAGE_TOKENS if file.kind == "image" else file.size // FILE_BYTES_PER_TOKEN for file in files)


def set_limit(settings: Mapping[str, Any]) -> int | None:
    """The longest answer that the settings allow, in tokens; None if they don't limit it."""
    found = [value for name, value in _flat(settings) if name in _LIMITS and isinstance(value, int)]
    return max(found, default=None)


def choices(settings: Mapping[str, Any]) -> int:
    """How many answers a request asks for."""
    return max((value for name, value in _flat(settings) if name in _CHOICES and isinstance(value, int)), default=1)


def _flat(settings: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The settings, and those within an object (`generation_config`)."""
    for name, value in settings.items():
        yield name, value
        if isinstance(value, dict):
            yield from value.items()
