"""Batches: thousands of questions, each a conversation of its own, whose results are kept in one file."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from ..core.errors import AssistantError, UsageError

if TYPE_CHECKING:
    from .item import Item
    from .result import Result
    from .runner import Job

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
    concurrency: int | None = None,
    rpm: int | None = None,
    tpm: int | None = None,
    max_cost: float | None = None,
) -> AsyncGenerator[Result]:
    """Ask many questions side by side, and yield each `Result` as it comes; nothing is kept on disk.

    An item is a text, or an object as in the input of `asst batch`; without an id, its number (from 1) is its id. They are taken
    from `items` as they can be asked, and no further than results are taken. `concurrency` is how many requests run at a time
    (default: 8 at first, then up to 64), `rpm` and `tpm` are requests and tokens a minute. `max_cost` is in US dollars: the items
    that it doesn't reach are not yielded. Leaving the loop early stops what is in flight; `contextlib.aclosing` waits for that.

    Raises:
        NotSetUpError: the profile, its key or something else that it needs is missing.
        UsageError: an item or a limit is wrong, or the cost can't be limited because a price is unknown.
        AssistantError: the provider refuses everybody (the key, the account's credit), or fails all the time.
        Exception: what `items` raised, after the results of what was in flight.
    """
    import msgspec

    from ..config.profiles import load_config
    from ..config.who_answers import configure
    from ..providers.assembly import Asked, assemble, budget_of
    from ..providers.prices import PriceTable
    from ..tools import as_tool
    from .estimate import price_known
    from .item import check_all, require_text
    from .pace import MOST, START, Pace
    from .runner import Ended, Runner, Stop

    for name, limit in (("concurrency", concurrency), ("rpm", rpm), ("tpm", tpm)):
        if limit is not None and limit < 1:
            raise UsageError(f"{name} must be at least 1, not {limit}.")
    chosen = load_config().profile(profile)
    chosen = msgspec.structs.replace(chosen, model=model or chosen.model)
    wanted = {**chosen.settings, **(settings or {})}
    budget = budget_of(max_cost, chosen)
    configured = configure(chosen, None, instructions=instructions, settings=wanted)
    runner = Runner(
        lambda: assemble([Asked(chosen, wanted)], budget),
        configured,
        Pace(concurrency or MOST, concurrency or START, rpm=rpm, tpm=tpm),
        prices=budget.prices if budget is not None else PriceTable(),
        tools=[as_tool(one) for one in tools],
    )
    check = check_all([require_text, *([price_known(budget.prices, configured)] if budget is not None else [])])
    results: asyncio.Queue[Result | None] = asyncio.Queue()
    room = asyncio.Semaphore(2 * (concurrency or MOST))  # of the items that are taken and whose results are not

    def ended(one: Ended) -> None:
        if one.result is not None:
            results.put_nowait(one.result)

    runner.assistant()
    running = asyncio.create_task(runner.run(_jobs(items, check, room), ended))
    running.add_done_callback(lambda _: results.put_nowait(None))
    try:
        while (result := await results.get()) is not None:
            room.release()
            yield result
        await running
        if runner.stopped is not None and runner.stopped.why != "cap":
            raise AssistantError(runner.stopped.kind, runner.stopped.message, runner.stopped.hint)
    finally:
        runner.stop(Stop("interrupted"), now=True)
        await asyncio.gather(running, return_exceptions=True)
        await runner.aclose()


async def _jobs(
    items: Iterable[str | Mapping[str, Any]] | AsyncIterable[str | Mapping[str, Any]],
    check: Callable[[Item], Item],
    room: asyncio.Semaphore,
) -> AsyncGenerator[Job]:
    """The items as jobs, each as soon as there is room for one more."""
    from .item import Item, item_from
    from .runner import Job

    number = 0
    async with contextlib.aclosing(_each(items)) as each:
        while True:
            await room.acquire()
            try:
                data = await anext(each)
            except StopAsyncIteration:
                return
            number += 1
            item = Item(str(number), data, number) if isinstance(data, str) else item_from(data, number)
            yield Job(check(item), number)


async def _each(items: Iterable[_T] | AsyncIterable[_T]) -> AsyncGenerator[_T]:
    if isinstance(items, AsyncIterable):
        async for one in items:
            yield one
    else:
        for one in items:
            yield one
