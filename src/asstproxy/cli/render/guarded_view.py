"""The live view, guarded: a fault of asst in a drawing must not cost the answer."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self, TextIO, cast

from rich.console import Console, RenderableType

from asstproxy.core.coalesce import RecordMerger
from asstproxy.core.errors import OutputError
from asstproxy.core.events import Record

from .detail import Detail
from .live import LiveView
from .plain import PlainView

__all__ = ["GuardedView"]


class GuardedView:
    """A `LiveView`; after a fault in it (`failure`), the answer is printed as text, from its beginning.

    Output that can't be written is a different matter: that error is raised, as by any view.
    """

    def __init__(
        self,
        console: Console,
        *,
        echo: bool = False,
        detail: Detail | None = None,
        delay: float = 0.0,
        draft: Callable[[], str] | None = None,
    ) -> None:
        self.failure: Exception | None = None
        self._console = console
        self._live = LiveView(console, echo=echo, detail=detail, delay=delay, draft=draft)
        self._plain = PlainView(cast("TextIO", console.file))
        self._shown: list[RecordMerger] = []  # a long answer is one text there

    async def __aenter__(self) -> Self:
        await self._live.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._live.__aexit__(kind, error, trace)
        except (OutputError, BrokenPipeError):
            raise
        except Exception as fault:  # noqa: BLE001 - whatever it is, the answer is worth more
            self._fall_back(fault)

    def __call__(self, record: Record) -> None:
        """Show a record.

        Raises:
            OutputError: the output can't be written.
        """
        if self.failure is not None:
            self._plain(record)
            return
        if not (self._shown and self._shown[-1].absorb(record)):
            self._shown.append(RecordMerger(record))
        self._guarded(lambda: self._live(record))

    def print(self, part: RenderableType) -> None:
        """Print something else, above the panel if there is one."""
        if self.failure is None:
            self._guarded(lambda: self._live.print(part))
        else:
            self._console.print(part)

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Leave the screen to something else; see `LiveView.paused`."""
        with contextlib.ExitStack() as stack:
            if self.failure is None:
                self._guarded(lambda: stack.enter_context(self._live.paused()))
                leave = stack.pop_all().close
                try:
                    yield
                finally:
                    self._guarded(leave)
            else:
                yield

    def _guarded(self, draw: Callable[[], object]) -> None:
        try:
            draw()
        except (OutputError, BrokenPipeError):
            raise
        except Exception as fault:  # noqa: BLE001 - whatever it is, the answer is worth more
            self._fall_back(fault)

    def _fall_back(self, fault: Exception) -> None:
        if self.failure is not None:
            return
        self.failure = fault
        with contextlib.suppress(Exception):
            self._live.abandon()
        self._console.print()
        for merged in self._shown:
            self._plain(merged.record)
        self._shown.clear()
