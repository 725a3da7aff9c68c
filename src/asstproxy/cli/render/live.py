"""The live view: an exchange drawn in the terminal while it runs."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Self

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.control import Control
from rich.live import Live
from rich.segment import ControlType
from rich.text import Text

from ...core.events import ChunkReceived, Record
from .detail import Detail
from .layout import Layout
from .live_panel import LivePanel
from .theme import redraws

__all__ = ["LiveView"]

_FRAME = 1 / 12
"""Seconds between two frames at least."""
_LATE = 0.05
"""Seconds for which a frame that is due waits for the next record: waking up once for both costs half."""
_SHARE = 5
"""At most this fraction (1/5) of the time is spent on drawing."""
_IDLE_FRAME = 0.25
"""Seconds between two frames while only the clock moves."""
_QUIET = 0.5
"""Seconds of silence after which a line says what is waited for, without a panel."""


class _Frame:
    """What Rich's `Live` shows: the present panel, or nothing."""

    panel: LivePanel | None = None
    footer: Sequence[Text] = ()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if self.panel is not None:
            yield from self.panel.__rich_console__(console, options)
        yield from self.footer


class LiveView:
    """Draws an exchange while it runs. What is finished is printed and stays.

    Use it as an async context manager and subscribe it: a record is folded at once and drawn in the next frame. When an
    exchange has settled, its panel is gone before the call returns. `echo`: show the user's messages, too (for a replay;
    in a chat they are on the screen already). `delay`: seconds until the panel appears, unless text arrives sooner.
    `draft`: gives what has been typed meanwhile. `footer`: gives
    rows that stand below everything as long as the view is open. Where nothing can be drawn again
    (a dumb terminal, a screen reader), the panel is left out: what an exchange waits for is said in a line of its own.
    """

    def __init__(
        self,
        console: Console,
        *,
        echo: bool = False,
        detail: Detail | None = None,
        delay: float = 0.0,
        draft: Callable[[], str] | None = None,
        footer: Callable[[], Sequence[Text]] | None = None,
    ) -> None:
        self._console = console
        self._layout = Layout(echo=echo, detail=detail)
        self._delay, self._draft, self._footer = delay, draft, footer
        self._redraws = redraws(console)
        self._due = 0.0  # when the panel may appear
        self._announced = ""  # the latest line about what is waited for
        self._live: Live | None = None
        self._frame = _Frame()
        self._width = 0
        self._received = 0.0  # when the last record came
        self._pauses = 0
        self._abandoned = False
        self._changed = asyncio.Event()
        self._next = 0.0  # when the next frame is due, by the loop's clock
        self._late: asyncio.TimerHandle | None = None
        self._painter: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._painter = asyncio.create_task(self._paint())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        painter, self._painter = self._painter, None
        try:
            if painter is not None:
                painter.cancel()
                await asyncio.wait({painter})
                if not painter.cancelled():
                    painter.result()  # raises the error that ended it
            self._layout.close()
            self._footer = None
            self.draw()
        finally:
            self._hide_panel()

    def abandon(self) -> None:
        """Draw no more: take the panel away, and nothing else."""
        self._abandoned = True
        if self._painter is not None:
            self._painter.cancel()
        self._hide_panel()

    def __call__(self, record: Record) -> None:
        """Fold a record."""
        if self._painter is not None and self._painter.done():
            self._painter.result()  # raises the error that ended it, a BrokenPipeError for example
        was_active = self._layout.is_active
        self._layout.fold(record)
        self._received = time.monotonic()
        if not was_active:
            self._due, self._announced = self._received + self._delay, ""
        elif isinstance(record.event, ChunkReceived):
            self._due = 0.0
        self._request_frame()

    def print(self, part: RenderableType) -> None:
        """Print something else above the panel."""
        self._layout.insert(part)
        self._request_frame()

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Leave the screen to something else, a question for example; drawing continues afterwards."""
        self._pauses += 1
        try:
            self.draw()
            yield
        finally:
            self._pauses -= 1
            self._request_frame()

    def _request_frame(self) -> None:
        """Draw in the next frame; or now, when no exchange is running."""
        if self._pauses:
            return
        if not self._layout.is_active or (self._live is None and self._may_show):
            self.draw()
        elif (loop := asyncio.get_running_loop()).time() >= self._next:
            self._changed.set()
        elif self._late is None:
            self._late = loop.call_at(self._next + _LATE, self._changed.set)

    @property
    def _may_show(self) -> bool:
        """Whether the panel may be on the screen now."""
        return self._redraws and time.monotonic() >= self._due

    async def _paint(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            idle = max(self._next, loop.time() + _IDLE_FRAME)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(idle if self._layout.is_active else None):
                    await self._changed.wait()
            if self._late is not None:
                self._late.cancel()
                self._late = None
            began = time.perf_counter()
            if self._live is not None or (self._layout.is_active and not self._pauses):
                self.draw()
            self._changed.clear()
            rest = max(_FRAME, _SHARE * (time.perf_counter() - began))
            self._next = loop.time() + rest

    def draw(self) -> None:
        """Print what is finished, and the panel below it, in one write: the terminal never shows half a frame."""
        if self._abandoned:
            return
        console, active = self._console, self._layout.is_active and not self._pauses
        stays = active or (self._footer is not None and not self._pauses)
        finished = self._layout.take()
        with console:
            if stays and self._live is None and self._may_show:
                self._show_panel()
            if self._live is not None:
                self._adapt_to_resize()
                draft = self._draft() if self._draft is not None else ""
                self._frame.panel = self._layout.panel(time.monotonic() - self._received, draft) if active else None
                self._frame.footer = self._footer() if self._footer is not None else ()
            elif active and not self._redraws:
                finished += self._waiting()
            if finished:
                console.print(Group(*finished), crop=False)  # lines of code are longer: the terminal wraps them
            elif self._live is not None:
                self._live.refresh()
            if not stays:
                self._hide_panel()

    def _waiting(self) -> list[RenderableType]:
        """What is waited for, in a line of its own, if that has changed and takes a while."""
        words = self._layout.phase(0.0)
        if words == self._announced or time.monotonic() < max(self._due, self._received + _QUIET):
            return []
        self._announced = words
        return [Text(f"{words} …", style="dim")] if words else []

    def _show_panel(self) -> None:
        self._live = Live(
            self._frame, console=self._console, auto_refresh=False, transient=True, vertical_overflow="crop"
        )
        self._live.start()
        self._width = self._console.width
        self._changed.set()

    def _hide_panel(self) -> None:
        live, self._live, self._frame.panel, self._frame.footer = self._live, None, None, ()
        if live is not None:
            live.stop()

    def _adapt_to_resize(self) -> None:
        """Move up to where the panel begins now, if the terminal has become narrower and wrapped its rows.

        Rich moves up by as many rows as it has drawn. Terminals that cut rows off instead of wrapping (xterm) are few.
        """
        width, before = self._console.width, self._width
        self._width = width
        panel = self._frame.panel
        if panel is not None and width < before:
            wrapped = sum(max(0, -(-columns // width) - 1) for columns in panel.widths)
            up = ((ControlType.ERASE_IN_LINE, 2), (ControlType.CURSOR_UP, 1))
            self._console.control(Control(*(up * wrapped)))
