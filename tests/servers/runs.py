"""One run of the model: an append-only log of events that readers follow, and that may go on without any."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass

from .wire import Json


@dataclass(frozen=True)
class Background:
    """How long a background run is queued and then at work: in polls that see it so, and in seconds."""

    queued: int = 1
    running: int = 1
    queued_seconds: float = 0.0
    running_seconds: float = 0.0


class Run:
    """The log of one run. Nothing here awaits unless time has to pass, so a run without pauses is over at once."""

    def __init__(self, number: Callable[[Json, int], None], *, streamed: bool) -> None:
        self.events: list[Json] = []
        self.done = False
        self.started = time.monotonic()
        self.polls = 0
        self._number = number
        self._streamed = streamed
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def age(self) -> float:
        """Seconds since the run was created."""
        return time.monotonic() - self.started

    def start(self, work: Coroutine[None, None, None], at_end: Callable[[], None]) -> None:
        """Run `work` to its end, or to its cancellation; then call `at_end`, and all readers come to their end too."""

        def end(_: object = None) -> None:
            if not self.done:
                at_end()
                self.done = True
                self._tell()

        async def whole() -> None:
            # The end is in the same step as the last event, so that a reader never sees one without the other.
            try:
                await work
            finally:
                end()

        self._task = asyncio.get_running_loop().create_task(whole())
        self._task.add_done_callback(end)  # for a task that was cancelled before its first step
        self._task.add_done_callback(lambda _: work.close())

    def emit(self, event: Json) -> None:
        """Append an event to the log, with its number."""
        self._number(event, len(self.events))
        self.events.append(event)
        self._tell()

    def poll(self) -> None:
        """Somebody looked."""
        self.polls += 1
        self._tell()

    def cancel(self) -> None:
        """Stop the model."""
        if self._task is not None:
            self._task.cancel()

    async def follow(self, after: int = -1) -> AsyncIterator[Json]:
        """The events after a number, as they come, to the end of the run."""
        index = after + 1
        while True:
            news = self._news
            while index < len(self.events):
                yield self.events[index]
                index += 1
            if self.done:
                return
            if news is self._news:
                await news.wait()

    async def until(self, what: Callable[[Run], bool]) -> None:
        """Wait for something to be so."""
        while not what(self):
            await self._news.wait()

    async def hold(self, polls: int, seconds: float) -> None:
        """Stay as it is for a time, and until it was polled so often; who streams does not poll."""
        await asyncio.sleep(seconds)
        if not self._streamed:
            await self.until(lambda run: run.polls >= polls)

    async def finished(self) -> None:
        """Wait for the end; if the waiter is cancelled (its client left), so is the run."""
        try:
            await self.until(lambda run: run.done)
        except asyncio.CancelledError:
            self.cancel()
            raise

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()
