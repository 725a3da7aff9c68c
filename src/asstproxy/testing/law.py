"""How a law is run, and what several of them ask."""

# ruff: noqa: S101 - these are tests

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Any

from .bench import Bench

if TYPE_CHECKING:
    from .contract import ProviderContract

__all__ = ["cancelled", "in_order", "in_time", "law", "tasks_left"]

WITHIN = 2.5
"""Seconds in which a proxy must have stopped: two to tell the provider, and some to be kind to a busy machine."""


def law(test: Callable[[Any, Bench], Awaitable[None]]) -> Callable[[Any], None]:
    """Run the test in a loop of its own, with a bench that is put up for it."""

    async def within(suite: ProviderContract) -> None:
        async with asyncio.timeout(suite.patience), suite.bench() as bench:
            await test(suite, bench)
        left = await tasks_left()
        assert not left, f"tasks are left over: {left}"

    def run(self: ProviderContract) -> None:
        asyncio.run(within(self))

    run.__name__, run.__qualname__, run.__doc__ = test.__name__, test.__qualname__, test.__doc__
    return run


async def tasks_left() -> set[asyncio.Task[Any]]:
    """The tasks that run beside the current one, after the loop has had the time to tidy up.

    Iterators inside of an HTTP library, which nobody else can close, are finished by the loop.
    """
    for _ in range(20):
        await asyncio.sleep(0)
    return {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}


@contextlib.contextmanager
def in_time(when: str) -> Iterator[None]:
    """What happens inside must be over soon."""
    began = time.monotonic()
    yield
    took = time.monotonic() - began
    assert took < WITHIN, f"{when}, stopping took {took:.1f} s"


async def cancelled(work: Awaitable[object]) -> None:
    """Wait for something that is cancelled, or that was over before; what else it raises is raised."""
    task = asyncio.ensure_future(work)
    await asyncio.wait({task})
    if not task.cancelled():
        task.result()


def in_order(heard: str, *texts: str) -> None:
    """All of the texts were heard, one after the other."""
    position = 0
    for text in texts:
        found = heard.find(text, position)
        assert found >= 0, f"{text!r} is missing, or not in its place, in {heard}"
        position = found + len(text)
