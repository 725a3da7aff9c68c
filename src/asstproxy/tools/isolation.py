"""Code of others, run where it can hold up nobody: in a daemon thread, in this loop, or in a loop of its own.

Three rules. Whoever waits gets an answer in time: the end of the job, or `ToolTimeoutError`. Whatever the job raises,
even `SystemExit`, is a value here and ends nothing. What does not stop when it is told to is abandoned, and because
only daemon threads are used, the process can end without it.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from ..core.errors import ToolError
from .output_capture import install_capture, uninstall_capture

__all__ = [
    "GRACE",
    "JobResult",
    "ToolTimeoutError",
    "abandoned_count",
    "in_loop",
    "in_own_loop",
    "in_thread",
    "run_blocking",
]

GRACE = 0.5
"""Seconds that a cancelled coroutine has to stop."""


class ToolTimeoutError(Exception):
    """The job did not end in time; `abandoned`: and it still runs."""

    def __init__(self, *, abandoned: bool) -> None:
        super().__init__()
        self.abandoned = abandoned


@dataclass(frozen=True, slots=True)
class JobResult:
    """How a job ended: with a value, or with what it raised."""

    value: Any = None
    error: BaseException | None = None


class _Job:
    """`settle` is called once, where the job runs; `wait` where somebody waits for it."""

    def __init__(self) -> None:
        self.has_ended = False
        self.stop: Callable[[], object] | None = None
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[JobResult] = self._loop.create_future()
        install_capture()

    def settle(self, ended: JobResult) -> None:
        if self.has_ended:
            return
        self.has_ended = True
        uninstall_capture()
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile: nobody waits any more
            self._loop.call_soon_threadsafe(self._take, ended)

    def _take(self, ended: JobResult) -> None:
        if not self._ended.done():
            self._ended.set_result(ended)

    async def wait(self, seconds: float) -> JobResult:
        try:
            await asyncio.wait({self._ended}, timeout=seconds)
            if not self._ended.done():
                await self._stop()
                raise ToolTimeoutError(abandoned=not self._ended.done())
            return self._ended.result()
        except asyncio.CancelledError:
            await self._stop()
            raise
        finally:
            if not self.has_ended:
                _abandoned.add(self)

    async def _stop(self) -> None:
        if self.stop is not None:
            self.stop()
            await asyncio.wait({self._ended}, timeout=GRACE)


_abandoned: set[_Job] = set()


def abandoned_count() -> int:
    """How many abandoned jobs still run. A process that ends with some should do so by `os._exit`, to be sure."""
    _abandoned.difference_update([job for job in _abandoned if job.has_ended])
    return len(_abandoned)


async def in_thread(function: Callable[[], Any], seconds: float) -> JobResult:
    """Run a blocking function in a daemon thread.

    Not `asyncio.to_thread`: its thread holds the process until a hung function returns.

    Raises:
        ToolTimeoutError: it did not return in time, and still runs.
    """
    job = _Job()

    def work() -> None:
        try:
            ended = JobResult(function())
        except BaseException as error:  # noqa: BLE001 - whatever it raises is a value here
            ended = JobResult(error=error)
        job.settle(ended)

    try:
        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(work,), name="asst-tool", daemon=True).start()
    except RuntimeError as error:  # the machine gives no more threads
        job.settle(JobResult(error=error))
    return await job.wait(seconds)


async def in_loop(function: Callable[[], Awaitable[Any]], seconds: float) -> JobResult:
    """Await a coroutine here, where it can use what the program uses; past its time it is cancelled.

    Raises:
        ToolTimeoutError: it did not return in time.
    """
    job = _Job()
    task = asyncio.get_running_loop().create_task(_settling(job, function))
    task.add_done_callback(lambda _: job.settle(CANCELLED))
    job.stop = task.cancel
    return await job.wait(seconds)


async def in_own_loop(function: Callable[[], Awaitable[Any]], seconds: float) -> JobResult:
    """Await a coroutine in a loop that it shares with its like only; past its time it is cancelled.

    Raises:
        ToolTimeoutError: it did not return in time.
    """
    job = _Job()
    home = _OwnLoop.current()
    job.stop = home.start(job, function)
    try:
        return await job.wait(seconds)
    finally:
        if not job.has_ended:
            home.retire()


async def _settling(job: _Job, function: Callable[[], Awaitable[Any]]) -> None:
    try:
        ended = JobResult(await function())
    except BaseException as error:  # noqa: BLE001 - whatever it raises is a value here; SystemExit would end the loop
        ended = JobResult(error=error)
    job.settle(ended)


CANCELLED = JobResult(error=asyncio.CancelledError())
"""How a task ends that was cancelled before it began."""


class _OwnLoop:
    """An event loop in a daemon thread. One for many calls: what a tool keeps between them (a client) stays usable."""

    _current: _OwnLoop | None = None
    _lock = threading.Lock()

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        threading.Thread(target=self._run, name="asst-tools", daemon=True).start()

    @classmethod
    def current(cls) -> _OwnLoop:
        with cls._lock:
            if cls._current is None:
                cls._current = cls()
            return cls._current

    def retire(self) -> None:
        """Something does not stop, and may block the loop: the next calls get another one."""
        with self._lock:
            if _OwnLoop._current is self:
                _OwnLoop._current = None

    def start(self, job: _Job, function: Callable[[], Awaitable[Any]]) -> Callable[[], object]:
        """Begin the job there, in the caller's context; returns what cancels it."""
        tasks: list[asyncio.Task[None]] = []

        def begin() -> None:
            task = self._loop.create_task(_settling(job, function))
            tasks.append(task)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            task.add_done_callback(lambda _: job.settle(CANCELLED))

        def stop() -> None:
            for task in tasks:
                task.cancel()

        self._loop.call_soon_threadsafe(begin)
        return lambda: self._loop.call_soon_threadsafe(stop)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()


async def run_blocking(function: Callable[[], Any], timeout: float) -> Any:
    """Run a blocking function in a daemon thread, for at most `timeout` seconds.

    Raises:
        TimeoutError: the time was over.
        ToolError: the function tried to end the program.
    """
    try:
        ended = await in_thread(function, timeout)
    except ToolTimeoutError:
        raise TimeoutError from None
    if isinstance(ended.error, Exception):
        raise ended.error
    if ended.error is not None:
        raise ToolError(f"{type(ended.error).__name__}: {ended.error}")
    return ended.value
