"""Rows of the table: what was measured, the bar, and whether it was met."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["Group", "Row", "markdown_table", "milliseconds"]


@dataclass(frozen=True)
class Row:
    """One figure. `sense`: the bar is `≤` or `≥`, or empty when there is none; `unit`: `×`, ` ms`, …"""

    what: str
    figures: str
    value: float
    bar: float = 0.0
    sense: str = ""
    unit: str = " ×"

    @property
    def met(self) -> bool:
        """Whether the bar is reached."""
        return self.value <= self.bar if self.sense == "≤" else self.value >= self.bar if self.sense else True

    def verdict(self) -> str:
        """For a person: met, or missed by how much."""
        if not self.sense:
            return ""
        return "met" if self.met else f"**missed by {abs(self.value / self.bar - 1):.0%}**"

    def markdown(self) -> str:
        """The row as Markdown."""
        bar = f"{self.sense} {self.bar:g}{self.unit}" if self.sense else ""
        return f"| {self.what} | {self.figures} | {_short(self.value)}{self.unit} | {bar} | {self.verdict()} |"


@dataclass
class Group:
    """What one part of the bench gives: rows, tables of its own (Markdown by title), curves (points by name)."""

    rows: list[Row] = field(default_factory=list)
    tables: dict[str, str] = field(default_factory=dict)
    curves: dict[str, list[list[float]]] = field(default_factory=dict)
    runs: int = 0
    date: str = ""

    def compare(
        self, what: str, ours: float, theirs: float, bar: float, *, figures: str = "", rival: str, sense: str = "≤"
    ) -> None:
        """Add a row: ours as a multiple of theirs. `figures` says both; they are seconds unless it is given."""
        figures = figures or f"asst {milliseconds(ours)} · {rival} {milliseconds(theirs)}"
        self.rows.append(Row(what, figures, ours / theirs, bar, sense))

    def inform(self, what: str, ours: float, theirs: float, rival: str) -> None:
        """Add a row that has no bar."""
        figures = f"asst {milliseconds(ours)} · {rival} {milliseconds(theirs)}"
        self.rows.append(Row(what, figures, ours / theirs))

    def dump(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    @classmethod
    def load(cls, data: Mapping[str, Any]) -> Group:
        """From JSON."""
        return cls(**{**data, "rows": [Row(**row) for row in data["rows"]]})


def milliseconds(seconds: float) -> str:
    """Seconds for a person."""
    return f"{1000 * seconds:.0f} ms" if seconds < 10 else f"{seconds:.1f} s"


def markdown_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown; the columns after the first are figures."""
    lines = [heads, ["---", *["--:"] * (len(heads) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
