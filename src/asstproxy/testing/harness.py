"""How one test of the suite runs: in an event loop of its own, with a fresh backend and a time limit."""

# ruff: noqa: S101 - these are tests

from __future__ import annotations

import asyncio
import contextlib
import time
import unittest
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, ClassVar

from ..core.turn import Options
from ..provider import AssistantProxy, Kind
from .backend import Backend, Reply
from .client import ProviderClient

__all__ = ["ContractBase", "assert_in_order", "cancelled", "eventually", "provider_test", "tasks_left", "within_time"]

STOP_LIMIT = 2.5
"""Seconds within which a proxy must have stopped: two to stop the API, and half a second of tolerance for a busy machine."""


class ContractBase:
    """What all parts of the suite share; `ProviderContract` documents the attributes."""

    options: ClassVar[Options] = Options()
    failures: ClassVar[frozenset[Kind]] = frozenset({"server"})
    unsupported: ClassVar[Mapping[Any, str]] = {}
    settings: ClassVar[Mapping[str, Any]] = {"temperature": 0.25}
    another_model: ClassVar[str] = "another-model"
    time_limit: ClassVar[float] = 60.0

    def backend(self) -> AbstractAsyncContextManager[Backend]:
        """The API for one test."""
        raise NotImplementedError

    def client(self, backend: Backend, proxy: AssistantProxy, **how: Any) -> ProviderClient:
        """A client of this proxy; `how`: see `ProviderClient`."""
        return ProviderClient(proxy, self.options, secret=backend.secret, **how)

    def skip_without(self, reply: type[Reply]) -> None:
        """Skip the test if the backend cannot give such a reply.

        Raises:
            unittest.SkipTest: with the reason that the subclass gives in `unsupported`.
        """
        if reason := self.unsupported.get(reply):
            raise unittest.SkipTest(f"no {reply.__name__}: {reason}")

    def skip_with_one_model(self) -> None:
        """Skip the test if the provider has only one model.

        Raises:
            unittest.SkipTest: `another_model` is empty.
        """
        if not self.another_model:
            raise unittest.SkipTest("the provider has only one model")


def provider_test(test: Callable[[Any, Backend], Awaitable[None]]) -> Callable[[Any], None]:
    """Make a test method of a coroutine: it runs in an event loop of its own and fails if a task is left over."""

    async def run_in_loop(suite: ContractBase) -> None:
        async with asyncio.timeout(suite.time_limit), suite.backend() as backend:
            await test(suite, backend)
        left = await tasks_left()
        assert not left, f"The provider left tasks behind: {left}"

    def run(self: ContractBase) -> None:
        asyncio.run(run_in_loop(self))

    run.__name__, run.__qualname__, run.__doc__ = test.__name__, test.__qualname__, test.__doc__
    run.__module__ = test.__module__
    return run


async def tasks_left() -> set[asyncio.Task[Any]]:
    """The tasks other than the current one, once the loop has had time to finish what is ending.

    Async generators inside an HTTP library that nobody else can close are finalized by the loop.
    """
    for _ in range(20):
        await asyncio.sleep(0)
    return {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}


@contextlib.contextmanager
def within_time(when: str) -> Iterator[None]:
    """Fail if the block takes longer than a proxy may take to stop."""
    began = time.monotonic()
    yield
    took = time.monotonic() - began
    assert took < STOP_LIMIT, f"{when}: stopping took {took:.1f} s, the limit is {STOP_LIMIT} s."


async def eventually(count: Callable[[], int], what: str) -> None:
    """Fail unless the count falls to 0 within the time that a proxy may take to stop."""
    deadline = time.monotonic() + STOP_LIMIT
    while left := count():
        assert time.monotonic() < deadline, f"{what}: {left} after {STOP_LIMIT} s."
        await asyncio.sleep(0.005)


async def cancelled(work: Awaitable[object], when: str) -> None:
    """Fail unless the work, which is cancelled or has ended already, ends in time; any other exception of it is raised."""
    task = asyncio.ensure_future(work)
    with within_time(when):
        await asyncio.wait({task}, timeout=2 * STOP_LIMIT)
    if not task.cancelled():
        task.result()


def assert_in_order(conversation: str, *texts: str) -> None:
    """Fail unless the conversation holds all these texts, one after the other."""
    position = 0
    for text in texts:
        found = conversation.find(text, position)
        assert found >= 0, f"{text!r} is missing or in the wrong place in {conversation}"
        position = found + len(text)
