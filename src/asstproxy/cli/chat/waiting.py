"""A line that shows what the chat waits for, and that is gone afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from rich.text import Text

from ..event_loop import suspendable
from ..render.theme import is_plain
from .chat_protocol import ChatCommands

if TYPE_CHECKING:
    from rich.live import Live

__all__ = ["WaitingLine", "show_while", "stopping"]

_TICK = 0.25


class WaitingLine:
    """`line` takes the seconds since the wait began."""

    def __init__(self, chat: ChatCommands, line: Callable[[float], str]) -> None:
        self._chat, self._line = chat, line
        self._live: Live | None = None

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Take it from the screen meanwhile."""
        live, self._live = self._live, None
        if live is None:
            yield
            return
        live.stop()
        try:
            yield
        finally:
            live.start()
            self._live = live

    async def wait(self, task: asyncio.Future[Any], *, after: float = 0.0) -> None:
        """Wait for the task; the line is shown `after` so many seconds. Its result, or its error, is the caller's."""
        if after:
            await asyncio.wait({task}, timeout=after)
        if task.done():
            return
        console, began = self._chat.console, time.monotonic() - after
        if is_plain(console):
            self._chat.say(self._line(after))
            await asyncio.wait({task})
            return

        def text() -> Text:
            return Text(self._line(time.monotonic() - began), style="dim", no_wrap=True, overflow="ellipsis")

        from rich.live import Live

        self._live = Live(text(), console=console, transient=True, auto_refresh=False)
        with self._live, suspendable(self.paused):
            while not task.done():
                await asyncio.wait({task}, timeout=_TICK)
                if self._live is not None:
                    self._live.update(text(), refresh=True)


async def show_while(
    chat: ChatCommands, task: asyncio.Future[Any], line: Callable[[float], str], *, after: float = 0.0
) -> None:
    """Wait for the task with such a line; see `WaitingLine`."""
    await WaitingLine(chat, line).wait(task, after=after)


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
