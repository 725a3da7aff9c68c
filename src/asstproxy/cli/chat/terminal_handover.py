"""Leaving the terminal to another program between two prompts: an editor, a pager."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from ..event_loop import Signals, normal_keyboard

__all__ = ["with_terminal"]

T = TypeVar("T")


async def with_terminal(signals: Signals, work: Callable[[], T]) -> T:
    """What `work` returns, in a thread: it may take as long as a person reads. Ctrl-C belongs to the other program."""
    before = signals.on_signal

    def on_signal(terminated: bool) -> None:
        if terminated and before is not None:
            before(terminated)
        else:
            signals.on_signal = on_signal  # so that a second one doesn't count as a second one for us

    signals.on_signal = on_signal
    try:
        with normal_keyboard():
            return await asyncio.to_thread(work)
    finally:
        signals.on_signal = before
