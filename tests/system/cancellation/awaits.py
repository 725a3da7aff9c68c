"""Counts the awaits of every task of a loop, and does something at one of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["Awaits", "counting"]


class Awaits:
    """`count` suspensions were seen; at number `at`, `act` is called, with the task suspended there."""

    def __init__(self, at: int, act: Callable[[], object]) -> None:
        self.count, self.acted_at = 0, 0.0
        self._at, self._act = at, act

    @property
    def acted(self) -> bool:
        """Whether there were so many."""
        return self.count >= self._at

    def passed(self) -> None:
        """A task is suspended."""
        self.count += 1
        if self.count == self._at:
            asyncio.get_running_loop().call_soon(self._do)  # when it has been suspended

    def _do(self) -> None:
        self.acted_at = asyncio.get_running_loop().time()
        self._act()


class _Counted(Coroutine[Any, Any, Any]):
    """A coroutine that says when it is suspended."""

    def __init__(self, inner: Coroutine[Any, Any, Any], passed: Callable[[], None]) -> None:
        self._inner, self._passed = inner, passed

    def send(self, value: Any) -> Any:
        waits_for = self._inner.send(value)
        self._passed()
        return waits_for

    def throw(self, *error: Any) -> Any:
        waits_for = self._inner.throw(*error)
        self._passed()
        return waits_for

    def close(self) -> None:
        self._inner.close()

    def __await__(self) -> Any:
        return self._inner.__await__()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)  # anyio looks whether a coroutine has begun


@contextmanager
def counting(at: int, act: Callable[[], object]) -> Iterator[Awaits]:
    """Call `act` at await number `at` of the tasks that are created in the block."""
    loop, awaits = asyncio.get_running_loop(), Awaits(at, act)

    def counted(loop: asyncio.AbstractEventLoop, coro: Any, **how: Any) -> asyncio.Task[Any]:
        return asyncio.Task(_Counted(coro, awaits.passed), loop=loop, **how)

    loop.set_task_factory(counted)
    try:
        yield awaits
    finally:
        loop.set_task_factory(None)
