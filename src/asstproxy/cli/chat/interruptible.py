"""Waiting for something at the prompt that Ctrl-C gives up: a download, for example."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from ...core.errors import UsageError
from ..event_loop import Signals

__all__ = ["interruptible"]

T = TypeVar("T")


async def interruptible(signals: Signals, work: Coroutine[Any, Any, T]) -> T:
    """What `work` returns.

    Raises:
        UsageError: Ctrl-C stopped it.
    """
    task = asyncio.create_task(work)
    before = signals.on_signal

    def on_signal(terminated: bool) -> None:
        if terminated and before is not None:
            before(terminated)
        else:
            task.cancel()

    signals.on_signal = on_signal
    try:
        await asyncio.wait({task})
    finally:
        signals.on_signal = before
        task.cancel()
    if task.cancelled():
        raise UsageError("Stopped. Nothing was attached, and nothing was sent.")
    return task.result()
