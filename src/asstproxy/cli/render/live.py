"""The live view: an exchange drawn in the terminal while it goes on."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.control import Control
from rich.live import Live
from rich.segment import ControlType

from asstproxy.core.events import Record

from .layout import Layout
from .live_panel import LivePanel

__all__ = ["LiveView"]

_FRAME = 1 / 12
_SHARE = 5  # of the time, at most 1/5 goes into drawing
_STILL = 0.25  # seconds between frames when only the time goes on


class _Stage:
    """What Rich's Live shows: always the current frame, or nothing."""

    frame: LivePanel | None = None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if self.frame is not None:
            yield from self.frame.__rich_console__(console, options)


class LiveView:
    """Draws while an exchange is under way; what is finished is printed and stays.

    Use it as an async context manager and subscribe it: a record is folded at once and drawn with the next frame. When
    an exchange settles, the panel is gone when the call returns. `echo`: draw the person's messages, too (for a replay;
    in a chat they stand on the screen already).
    """

    def __init__(self, console: Console, *, echo: bool = False) -> None:
        self._console = console
        self._drawing = Layout(echo=echo)
        self._live: Live | None = None
        self._stage = _Stage()
        self._width = 0
        self._heard = 0.0
        self._pauses = 0
        self._changed = asyncio.Event()
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
                    painter.result()  # raises what ended it
            self._drawing.close()
            self._draw()
        finally:
            self._leave()

    def __call__(self, record: Record) -> None:
        """Fold a record."""
        if self._painter is not None and self._painter.done():
            self._painter.result()  # raises what ended it, a BrokenPipeError for example
        self._drawing.fold(record)
        self._heard = time.monotonic()
        self._show()

    def print(self, piece: RenderableType) -> None:
        """Print something else above what is moving."""
        self._drawing.insert(piece)
        self._show()

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Leave the screen to somebody else, who asks a person for example; it is drawn on afterwards."""
        self._pauses += 1
        try:
            self._draw()
            yield
        finally:
            self._pauses -= 1
            self._show()

    def _show(self) -> None:
        """Draw with the next frame, or, when nothing moves (any more), now."""
        if self._pauses:
            return
        if self._live is not None and self._drawing.moves:
            self._changed.set()
        else:
            self._draw()

    async def _paint(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_STILL if self._live is not None else None):
                    await self._changed.wait()
            self._changed.clear()
            began = time.perf_counter()
            if self._live is not None:
                self._draw()
            await asyncio.sleep(max(_FRAME, _SHARE * (time.perf_counter() - began)))

    def _draw(self) -> None:
        """Print what is finished, and below it the rest, in one write: the terminal sees no half-done state."""
        console, moves = self._console, self._drawing.moves and not self._pauses
        done = self._drawing.take()
        with console:
            if moves and self._live is None:
                self._enter()
            if self._live is not None:
                self._make_up_for_resize()
                self._stage.frame = self._drawing.moving(time.monotonic() - self._heard) if moves else None
            if done:
                console.print(Group(*done))
            elif self._live is not None:
                self._live.refresh()
            if not moves:
                self._leave()

    def _enter(self) -> None:
        self._live = Live(
            self._stage, console=self._console, auto_refresh=False, transient=True, vertical_overflow="crop"
        )
        self._live.start()
        self._width = self._console.width
        self._changed.set()

    def _leave(self) -> None:
        live, self._live, self._stage.frame = self._live, None, None
        if live is not None:
            live.stop()

    def _make_up_for_resize(self) -> None:
        """Go up to where the frame begins now, if the terminal has become narrower and broken its rows.

        Rich goes up by as many rows as it has drawn. Terminals that cut rows off instead (xterm) are few.
        """
        width, before = self._console.width, self._width
        self._width = width
        frame = self._stage.frame
        if frame is not None and width < before:
            broken = sum(max(0, -(-columns // width) - 1) for columns in frame.widths)
            up = ((ControlType.ERASE_IN_LINE, 2), (ControlType.CURSOR_UP, 1))
            self._console.control(Control(*(up * broken)))
