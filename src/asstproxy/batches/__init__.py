"""Batches: thousands of questions, each a conversation of its own, whose results are kept in one file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from ..core.errors import AssistantError

if TYPE_CHECKING:
    from .result import Result

__all__ = ["batch"]

_T = TypeVar("_T")


async def batch(
    items: Iterable[str | Mapping[str, Any]] | AsyncIterable[str | Mapping[str, Any]],
    *,
    profile: str,
    model: str = "",
    instructions: str | None = None,
    settings: Mapping[str, Any] | None = None,
    tools: Iterable[Callable[..., Any]] = (),
    concurrency: int = 64,
    rpm: int | None = None,
    tpm: int | None = None,
    max_cost: float | None = None,
) -> AsyncGenerator[Result]:
    """Ask many questions side by side, and yield each `Result` as it comes; nothing is kept on disk.

    An item is a text, or an object as in the input of `asst batch`; without an id, its number (from 1) is its id. They are taken
    from `items` as they can be asked. `rpm` and `tpm` are requests and tokens a minute, `max_cost` is in US dollars: the items that
    it doesn't reach are not yielded. Leaving the loop early stops what is in flight.

    Raises:
        NotSetUpError: the profile, its key or something else that it needs is missing.
        UsageError: an item is wrong, or the cost can't be limited because a price is unknown.
        AssistantError: the provider refuses everybody (the key, the account's credit), or fails all the time.
    """
    import msgspec

    from ..config.profiles import load_config
    from ..core.events import Configured
    from ..providers.assembly import Asked, assemble, budget_of
    from ..providers.prices import PriceTable
    from ..tools import as_tool
    from .item import Item, item_from
    from .pace import Pace
    from .runner import Ended, Job, Runner, Stop

    chosen = load_config().profile(profile)
    chosen = msgspec.structs.replace(chosen, model=model or chosen.model)
    wanted = {**chosen.settings, **(settings or {})}
    budget = budget_of(max_cost, chosen)
    runner = Runner(
        lambda: assemble([Asked(chosen, wanted)], budget),
        Configured(
            profile=chosen.name,
            provider=chosen.provider,
            model=chosen.model,
            instructions=chosen.instructions if instructions is None else instructions,
            settings=wanted,
        ),
        Pace(concurrency, 8, rpm=rpm, tpm=tpm),
        prices=budget.prices if budget is not None else PriceTable(),
        tools=[as_tool(one) for one in tools],
    )

    async def jobs() -> AsyncIterator[Job]:
        number = 0
        async for data in _each(items):
            number += 1
            yield Job(Item(str(number), data, number) if isinstance(data, str) else item_from(data, number), number)

    results: asyncio.Queue[Result | None] = asyncio.Queue()

    def ended(one: Ended) -> None:
        if one.result is not None:
            results.put_nowait(one.result)

    runner.assistant()
    running = asyncio.create_task(runner.run(jobs(), ended))
    running.add_done_callback(lambda _: results.put_nowait(None))
    try:
        while (result := await results.get()) is not None:
            yield result
        await running
        if runner.stopped is not None and runner.stopped.why != "cap":
            raise AssistantError(runner.stopped.kind, runner.stopped.message, runner.stopped.hint)
    finally:
        runner.stop(Stop("interrupted"), now=True)
        await asyncio.wait({running})
        await runner.aclose()


async def _each(items: Iterable[_T] | AsyncIterable[_T]) -> AsyncIterator[_T]:
    if isinstance(items, AsyncIterable):
        async for one in items:
            yield one
    else:
        for one in items:
            yield one
