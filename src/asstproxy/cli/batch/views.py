"""How a running batch is shown on stderr: some lines that move in a terminal, a line every ten seconds in a log."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from ...core.money import dollars
from ...text.figures import duration, short_count
from ...text.safe_text import clean_line
from .snapshot import Snapshot

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

__all__ = ["LogView", "View", "bar_view", "figures", "line_of", "pause_text", "view_for"]

LOGGED = 10.0
"""Seconds between two lines in a log."""
FIRST_GONE = (3, 4, 1, 2)
"""In which order figures are left out where they don't fit: tokens, cost, in flight, per second."""


class View(Protocol):
    """Shows snapshots."""

    def show(self, snapshot: Snapshot) -> None:
        """Show one."""

    def close(self) -> None:
        """End it."""


def view_for(stream: TextIO, title: str, *, limited_by: str, logged: float) -> View:
    """Moving lines in a terminal, elsewhere one every `logged` seconds.

    `title`: what is asked; `limited_by`: who may limit requests.
    """
    if stream.isatty():
        from ..render.theme import console, redraws

        on = console(stderr=True)
        if redraws(on):
            return bar_view(on, title, limited_by)
    return LogView(stream, limited_by, every=logged)


# ---- words -------------------------------------------------------------------------------------------------------------


def figures(snapshot: Snapshot) -> list[str]:
    """The figures of a run: done (and failed), in flight, per second, tokens, cost; those that are nothing are empty."""
    tokens, cost = snapshot.input_tokens + snapshot.output_tokens, snapshot.cost
    spent = dollars(cost) if cost else "price unknown" if cost is None and tokens else ""
    if snapshot.max_cost is not None:
        spent = f"{spent or '$0'} of {dollars(snapshot.max_cost)}"
    done = f"{snapshot.done:,} done" + (f" · {snapshot.failed:,} failed" if snapshot.failed else "")
    done += f" · {snapshot.sent:,} at the provider" if snapshot.sent else ""
    return [
        done,
        f"{snapshot.in_flight} in flight" if snapshot.in_flight else "",
        f"{snapshot.per_second:.2g}/s"
        if 0 < snapshot.per_second < 10
        else f"{snapshot.per_second:.0f}/s"
        if snapshot.per_second
        else "",
        f"{short_count(tokens)} tokens" if tokens else "",
        spent,
    ]


def pause_text(snapshot: Snapshot, limited_by: str) -> str:
    """Why nothing is sent now, and for how long; empty if something is."""
    if not snapshot.paused:
        return ""
    why = f"{limited_by} is limiting requests" if snapshot.is_refused else "your limit for a minute is reached"
    return f"Paused {_rounded(snapshot.paused)}: {why}"


def line_of(snapshot: Snapshot, limited_by: str = "the provider") -> str:
    """A snapshot in one line."""
    done, *others = figures(snapshot)
    parts = [f"{done.replace(' done', f' of {snapshot.items:,} done', 1)}", *others]
    if snapshot.left is not None:
        parts.append(f"{_rounded(max(snapshot.left, 1))} left")
    pause = pause_text(snapshot, limited_by)
    return " · ".join(filter(None, [*parts, pause[:1].lower() + pause[1:]]))


def _rounded(seconds: float) -> str:
    return duration(float(round(seconds))).replace(".0 s", " s")


# ---- views -------------------------------------------------------------------------------------------------------------


class LogView:
    """A line every so many seconds. `clock` gives seconds."""

    def __init__(
        self, stream: TextIO, limited_by: str, clock: Callable[[], float] = time.monotonic, *, every: float = LOGGED
    ) -> None:
        self._stream, self._limited_by, self._clock, self._every = stream, limited_by, clock, every
        self._last = clock()

    def show(self, snapshot: Snapshot) -> None:
        """Write a line, if the last one is old enough."""
        now = self._clock()
        if now - self._last >= self._every:
            self._last = now
            self._stream.write(f"{line_of(snapshot, self._limited_by)}\n")
            self._stream.flush()

    def close(self) -> None:
        """Nothing more to show: the command writes how it ended."""


def bar_view(console: Console, title: str, limited_by: str) -> View:
    """A title that stays, and below it, while the batch runs, a bar, the figures and why nothing is sent."""
    from rich.live import Live
    from rich.text import Text

    return _BarView(
        Live(console=console, auto_refresh=False, transient=True), Text(clean_line(title), style="dim"), limited_by
    )


class _BarView:
    def __init__(self, live: Any, title: Any, limited_by: str) -> None:
        self._live, self._title, self._limited_by = live, title, limited_by
        self._open = ExitStack()
        self._is_open = False

    def show(self, snapshot: Snapshot) -> None:
        """Draw it."""
        if not self._is_open:
            from ..event_loop import quiet_keyboard

            self._is_open = True
            self._open.enter_context(quiet_keyboard())  # what is typed meanwhile is not echoed into the bar
            self._live.console.print(self._title, no_wrap=True, overflow="ellipsis")
            self._open.enter_context(self._live)
        self._live.update(_lines(snapshot, self._limited_by, self._live.console.width), refresh=True)

    def close(self) -> None:
        """Take it from the screen."""
        self._open.close()


def _lines(snapshot: Snapshot, limited_by: str, width: int) -> RenderableType:
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    finished = snapshot.done + snapshot.failed
    share = f"{100 * finished // max(snapshot.items, 1)}%"
    if snapshot.left is not None:
        share += f" · {_rounded(max(snapshot.left, 1))} left"
    bar = ProgressBar(
        total=snapshot.items,
        completed=finished,
        width=max(width - len(share) - 2, 4),
        style="asst.border",
        complete_style="asst.good",
        finished_style="asst.good",
    )
    row = Table.grid(padding=(0, 2, 0, 0))
    row.add_row(bar, Text(share, no_wrap=True))
    rows: list[RenderableType] = [row, Text(_fitted(figures(snapshot), width), no_wrap=True, overflow="ellipsis")]
    if pause := pause_text(snapshot, limited_by):
        rows.append(Text(pause, style="asst.notice", no_wrap=True, overflow="ellipsis"))
    return Group(*rows)


def _fitted(parts: Sequence[str], width: int) -> str:
    left = list(parts)
    for gone in FIRST_GONE:
        if len(" · ".join(filter(None, left))) <= width:
            break
        left[gone] = ""
    return " · ".join(filter(None, left))
