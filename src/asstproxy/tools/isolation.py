"""Runs code of others where it can't block anything: in a daemon thread, in this event loop, or in a loop of its own.

Three rules. The caller gets an answer in time: the job's result, or `ToolTimeoutError`. Whatever the job raises, even
`SystemExit`, is a value here and ends nothing else. A job that doesn't stop when it is cancelled is abandoned; since all threads
are daemon threads, the process can end without it.
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
"""Seconds that a cancelled coroutine gets to stop."""


class ToolTimeoutError(Exception):
    """The job did not end in time; `abandoned`: it still runs."""

    def __init__(self, *, abandoned: bool) -> None:
        super().__init__()
        self.abandoned = abandoned


@dataclass(frozen=True, slots=True)
class JobResult:
    """The result of a job: a value, or what it raised."""

    value: Any = None
    error: BaseException | None = None


class _Job:
    """A running job. `finish` is called once, where the job runs; `wait` where its result is needed."""

    def __init__(self) -> None:
        self.is_finished = False
        self.stop: Callable[[], object] | None = None
        self._loop = asyncio.get_running_loop()
        self._result: asyncio.Future[JobResult] = self._loop.create_future()
        install_capture()

    def finish(self, result: JobResult) -> None:
        if self.is_finished:
            return
        self.is_finished = True
        uninstall_capture()
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile: nobody waits for the result
            self._loop.call_soon_threadsafe(self._set_result, result)

    def _set_result(self, result: JobResult) -> None:
        if not self._result.done():
            self._result.set_result(result)

    async def wait(self, seconds: float) -> JobResult:
        try:
            await asyncio.wait({self._result}, timeout=seconds)
            if not self._result.done():
                await self._stop()
                raise ToolTimeoutError(abandoned=not self._result.done())
            return self._result.result()
        except asyncio.CancelledError:
            await self._stop()
            raise
        finally:
            if not self.is_finished:
                _abandoned.add(self)

    async def _stop(self) -> None:
        if self.stop is not None:
            self.stop()
            await asyncio.wait({self._result}, timeout=GRACE)


_abandoned: set[_Job] = set()


def abandoned_count() -> int:
    """How many abandoned jobs still run. A process with some of them should end with `os._exit`, to be sure that it ends."""
    _abandoned.difference_update([job for job in _abandoned if job.is_finished])
    return len(_abandoned)


async def in_thread(function: Callable[[], Any], seconds: float) -> JobResult:
    """Run a blocking function in a daemon thread.

    Not `asyncio.to_thread`: its thread would keep the process alive until a hung function returns.

    Raises:
        ToolTimeoutError: it did not return in time, and still runs.
    """
    job = _Job()

    def work() -> None:
        try:
            result = JobResult(function())
        except BaseException as error:  # noqa: BLE001 - whatever it raises is a value here
            result = JobResult(error=error)
        job.finish(result)

    try:
        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(work,), name="asst-tool", daemon=True).start()
    except RuntimeError as error:  # no more threads are available
        job.finish(JobResult(error=error))
    return await job.wait(seconds)


async def in_loop(function: Callable[[], Awaitable[Any]], seconds: float) -> JobResult:
    """Await a coroutine in the running loop, where it can use what the program uses; it is cancelled at its time limit.

    Raises:
        ToolTimeoutError: it did not return in time.
    """
    job = _Job()
    task = asyncio.get_running_loop().create_task(_finishing(job, function))
    task.add_done_callback(lambda _: job.finish(CANCELLED))
    job.stop = task.cancel
    return await job.wait(seconds)


async def in_own_loop(function: Callable[[], Awaitable[Any]], seconds: float) -> JobResult:
    """Await a coroutine in a loop that only such coroutines share; it is cancelled at its time limit.

    Raises:
        ToolTimeoutError: it did not return in time.
    """
    job = _Job()
    loop = _OwnLoop.current()
    job.stop = loop.start(job, function)
    try:
        return await job.wait(seconds)
    finally:
        if not job.is_finished:
            loop.retire()


async def _finishing(job: _Job, function: Callable[[], Awaitable[Any]]) -> None:
    try:
        result = JobResult(await function())
    except BaseException as error:  # noqa: BLE001 - whatever it raises is a value here; SystemExit would end the loop
        result = JobResult(error=error)
    job.finish(result)


CANCELLED = JobResult(error=asyncio.CancelledError())
"""The result of a task that was cancelled before it began."""


class _OwnLoop:
    """An event loop in a daemon thread, shared by many calls: what a tool keeps between them (a client) stays usable."""

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
        """A job doesn't stop and may block this loop: later calls get a new one."""
        with self._lock:
            if _OwnLoop._current is self:
                _OwnLoop._current = None

    def start(self, job: _Job, function: Callable[[], Awaitable[Any]]) -> Callable[[], object]:
        """Start the job in this loop, in the caller's context; returns a function that cancels it."""
        tasks: list[asyncio.Task[None]] = []

        def begin() -> None:
            task = self._loop.create_task(_finishing(job, function))
            tasks.append(task)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            task.add_done_callback(lambda _: job.finish(CANCELLED))

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
        TimeoutError: it did not return in time.
        ToolError: the function tried to end the program.
    """
    try:
        result = await in_thread(function, timeout)
    except ToolTimeoutError:
        raise TimeoutError from None
    if isinstance(result.error, Exception):
        raise result.error
    if result.error is not None:
        raise ToolError(f"{type(result.error).__name__}: {result.error}")
    return result.value
