"""What a server works at without us, in the background: when nobody waits any more, it is told to stop.

Telling takes two seconds at the most, whatever the server does. The answer that names the run may still be on its way
when we are stopped: then it is waited for within the same two seconds, or the server would work, and be paid, for nobody.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from ..core.errors import AssistantError

__all__ = ["BROKEN", "BackgroundJob", "may_pass", "pause_before_looking_again"]

TELL_WITHIN = 2.0
BROKEN = ("connection", "timeout")
"""Kinds of failure that say nothing of the run itself."""
LONGEST = 60.0
"""Seconds that a server may have us wait between two looks."""
T = TypeVar("T")


def may_pass(error: AssistantError) -> bool:
    """Whether the same request may work in a moment."""
    return error.retryable or error.kind in BROKEN


def pause_before_looking_again(error: AssistantError) -> float | None:
    """Seconds that the server wants us to wait after a look that failed; None: looking again does not help.

    To look is free, so something that is no answer (a hotel's web page) is looked past, too.
    """
    if not (may_pass(error) or error.kind == "protocol"):
        return None
    return min(error.retry_after or 0.0, LONGEST)


class BackgroundJob:
    """One run, by its `id`, once that is known; `over`: there is nothing left to stop. `stop` tells the server."""

    def __init__(self, stop: Callable[[str], Awaitable[object]]) -> None:
        self.id: str | None = None
        self.over = False
        self._stop = stop
        self._tell_by: float | None = None

    async def begun(self, answer: Awaitable[T], name: Callable[[T], str | None]) -> T:
        """The first answer of the server, which names the run."""
        task = asyncio.ensure_future(answer)
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            await asyncio.wait({task}, timeout=self._deadline() - asyncio.get_running_loop().time())
            raise
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task})
            if not task.cancelled() and task.exception() is None:
                self.id = name(task.result())
        return task.result()

    @contextlib.asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Whatever leaves this block before the run is over, tells the server to stop."""
        try:
            yield
        except (asyncio.CancelledError, GeneratorExit, AssistantError):
            if self.id is not None and not self.over:
                with contextlib.suppress(AssistantError, TimeoutError):  # it ends, whether the server heard it or not
                    async with asyncio.timeout_at(self._deadline()):
                        await self._stop(self.id)
            raise

    def _deadline(self) -> float:
        if self._tell_by is None:
            self._tell_by = asyncio.get_running_loop().time() + TELL_WITHIN
        return self._tell_by
