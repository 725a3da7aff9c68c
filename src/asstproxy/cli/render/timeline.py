"""The states that an exchange passed through, and the time spent in each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from ...core.events import Record, Usage
from ...core.script import LISTENING, SETTLED, State
from ...text.figures import duration

__all__ = ["ClosingLine", "Timeline", "seconds_between"]

_ARROW = " ▸ "
_ROWS = 3
"""Rows for the states at most. Of more, the first ones are left out."""


def seconds_between(earlier: str, later: str) -> float:
    """Seconds from one record's `at` to another's; 0 if one is unreadable or the clock was set back."""
    try:
        return max(0.0, (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds())
    except (TypeError, ValueError):
        return 0.0


class Timeline:
    """Folds records. All times come from them: a replay shows the recorded times, not its own."""

    def __init__(self, first: Record) -> None:
        self.passed: list[tuple[State, float]] = []  # the states before this one, and the seconds in each
        self.state = first.state
        self._entered = self._latest = first.at

    def fold(self, record: Record) -> None:
        """Fold the next record."""
        self._latest = record.at
        if record.state is not self.state:
            self.passed.append((self.state, seconds_between(self._entered, record.at)))
            self.state, self._entered = record.state, record.at

    def now(self, since: float = 0.0) -> float:
        """Seconds in the current state, `since` seconds after the latest record."""
        return seconds_between(self._entered, self._latest) + since

    def total(self) -> float:
        """Seconds from the first record to the present state."""
        return sum(seconds for _, seconds in self.passed)

    def listening(self) -> float:
        """Seconds of these in which the assistant was to answer (the LISTENING states)."""
        return sum(seconds for state, seconds in self.passed if state in LISTENING)

    def steps(self, since: float = 0.0) -> list[Text]:
        """One text per state, with its time: `started 310ms`. A settled state has no time."""
        steps = [Text.assemble(f"{state} ", (duration(seconds), "dim")) for state, seconds in self.passed]
        last = Text(str(self.state), style=f"asst.state.{self.state}")
        if self.state not in SETTLED:
            last.append(f" {duration(self.now(since))}")
        return [*steps, last]


class ClosingLine:
    """What remains of the live panel when an exchange has settled: the states, the tokens, the time."""

    def __init__(self, timeline: Timeline, usage: Usage | None) -> None:
        self.timeline = timeline
        self.usage = usage

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        *passed, last = self.timeline.steps()
        for step in passed:
            step.stylize("dim")
        rows = rows_of([*passed, last], options.max_width)
        figures = self._figures()
        if rows[-1].cell_len + len(figures) + 3 <= options.max_width:
            rows[-1].append(f" · {figures}", style="dim")
        else:
            rows.append(Text(figures, style="dim"))
        yield from rows

    def _figures(self) -> str:
        total, usage = self.timeline.total(), self.usage
        figures = [duration(total, " ")]
        if usage is not None:
            figures.insert(0, f"{usage.input_tokens:,} → {usage.output_tokens:,} tokens")
            listening = self.timeline.listening()
            if usage.output_tokens and listening >= 0.1:
                figures.append(f"{usage.output_tokens / listening:,.0f} tokens/s")
        return " · ".join(figures)


def rows_of(steps: Sequence[Text], width: int) -> list[Text]:
    """The steps with arrows between them, in rows that break at an arrow. Of too many rows, the first are left out."""
    rows: list[Text] = []
    for step in steps:
        if rows and rows[-1].cell_len + len(_ARROW) + step.cell_len <= width:
            rows[-1] = Text.assemble(rows[-1], (_ARROW, "dim"), step)
        else:
            rows.append(Text.assemble(("▸ ", "dim"), step) if rows else step.copy())
    if len(rows) > _ROWS:
        rows = rows[-_ROWS:]
        rows[0] = Text.assemble(("… ", "dim"), rows[0])
    return rows
