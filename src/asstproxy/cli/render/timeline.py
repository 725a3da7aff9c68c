"""The states that an exchange passed through, and the time spent in each."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from ...core.events import Record
from ...core.script import LISTENING, SETTLED, State
from ...text.figures import duration, seconds_between
from .theme import is_plain

__all__ = ["StatesPath", "Timeline", "rows_of", "seconds_between"]

_ARROW = " ▸ "
_ROWS = 3
"""Rows for the states at most. Of more, the first ones are left out."""


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
        """One text per state, with its time: `started 310 ms`. A settled state has no time."""
        steps = [Text.assemble(f"{state} ", (duration(seconds), "dim")) for state, seconds in self.passed]
        last = Text(str(self.state), style=f"asst.state.{self.state}")
        if self.state not in SETTLED:
            last.append(f" {duration(self.now(since))}")
        return [*steps, last]


class StatesPath:
    """The whole path of an exchange, and how fast the assistant wrote: `/states`, `--states`."""

    def __init__(self, timeline: Timeline, output_tokens: int = 0) -> None:
        self.timeline = timeline
        self.output_tokens = output_tokens

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        *passed, last = self.timeline.steps()
        for step in passed:
            step.stylize("dim")
        rows = rows_of([*passed, last], options.max_width, most=None, arrow=", " if is_plain(console) else _ARROW)
        listening = self.timeline.listening()
        if self.output_tokens and listening >= 0.1:
            speed = f" · {self.output_tokens / listening:,.0f} tokens/s"
            if rows[-1].cell_len + len(speed) <= options.max_width:
                rows[-1].append(speed, style="dim")
        yield from rows


def rows_of(steps: Sequence[Text], width: int, most: int | None = _ROWS, arrow: str = _ARROW) -> list[Text]:
    """The steps with arrows between them, in rows that break at an arrow. Of more than `most` rows, the first are left out."""
    rows: list[Text] = []
    for step in steps:
        if rows and rows[-1].cell_len + len(arrow) + step.cell_len <= width:
            rows[-1] = Text.assemble(rows[-1], (arrow, "dim"), step)
        else:
            rows.append(Text.assemble((arrow.lstrip(), "dim"), step) if rows else step.copy())
    if most is not None and len(rows) > most:
        rows = rows[-most:]
        rows[0] = Text.assemble(("… ", "dim"), rows[0])
    return rows
