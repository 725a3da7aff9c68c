"""A line that shows what the chat waits for, and that is gone afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

from rich.live import Live
from rich.text import Text

from ..event_loop import suspendable
from .chat_protocol import ChatCommands

__all__ = ["show_while", "stopping"]

_TICK = 0.25


async def show_while(
    chat: ChatCommands, task: asyncio.Future[Any], line: Callable[[float], str], *, after: float = 0.0
) -> None:
    """Wait for the task. `line` takes the seconds since now; it is shown `after` so many."""
    if after:
        await asyncio.wait({task}, timeout=after)
    if task.done():
        return
    if chat.console.is_dumb_terminal:
        chat.say(line(after))
        await asyncio.wait({task})
        return
    began = time.monotonic() - after

    def text() -> Text:
        return Text(line(time.monotonic() - began), style="dim", no_wrap=True, overflow="ellipsis")

    live = Live(text(), console=chat.console, transient=True, auto_refresh=False)

    @contextlib.contextmanager
    def paused() -> Iterator[None]:
        live.stop()
        yield
        live.start()

    with live, suspendable(paused):
        while not task.done():
            await asyncio.wait({task}, timeout=_TICK)
            live.update(text(), refresh=True)


@contextlib.contextmanager
def stopping(chat: ChatCommands, stop: Callable[[], object]) -> Iterator[None]:
    """Let Ctrl-C call `stop` meanwhile."""
    before = chat.signals.on_signal

    def on_signal(terminated: bool) -> None:
        if terminated and before is not None:
            before(terminated)
        else:
            stop()

    chat.signals.on_signal = on_signal
    try:
        yield
    finally:
        chat.signals.on_signal = before
