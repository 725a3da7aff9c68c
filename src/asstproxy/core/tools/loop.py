"""An event loop in a daemon thread, for async tools that must not hold up the program's own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any

__all__ = ["OwnLoop", "own_loop"]


class OwnLoop:
    """One loop for many calls, so that what a tool keeps between them (a client, a lock) stays usable."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._tasks: dict[object, asyncio.Task[None]] = {}
        threading.Thread(target=self._run, name="asst-tools", daemon=True).start()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.close()

    def start(self, work: Callable[[], Coroutine[Any, Any, None]], ended: Callable[[object], None]) -> Callable[[], None]:
        """Let a coroutine run there, in the caller's context; returns what cancels it. `ended` is called at its end."""

        def begin() -> None:
            task = self._loop.create_task(work())
            self._tasks[ended] = task
            task.add_done_callback(forget)
            task.add_done_callback(ended)

        def forget(_: object) -> None:
            self._tasks.pop(ended, None)

        def stop() -> None:
            task = self._tasks.get(ended)
            if task is not None:
                task.cancel()

        self._loop.call_soon_threadsafe(begin)
        return lambda: self._loop.call_soon_threadsafe(stop) and None

    def leave(self) -> None:
        """A call does not stop, and may block the loop: later calls get another one."""
        global _current  # noqa: PLW0603 - one for all tools
        with _lock:
            if _current is self:
                _current = None


_lock = threading.Lock()
_current: OwnLoop | None = None


def own_loop() -> OwnLoop:
    """The loop for the next call."""
    global _current  # noqa: PLW0603 - one for all tools
    with _lock:
        if _current is None:
            _current = OwnLoop()
        return _current
