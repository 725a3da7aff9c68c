"""Draws how costs grow, as the bench has measured them, into `docs/growth-*.svg`: `python scripts/plots.py [RESULTS]`."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

DOCS = Path(__file__).resolve().parent.parent / "docs"
RESULTS = Path(tempfile.gettempdir()) / "asst-bench"
INK = "#808080"  # reads on white and on black
COLOURS = ("#0a7ea4", "#d9730d")

Points = list[list[float]]


@dataclass(frozen=True)
class Plot:
    """One picture. `column` is what is drawn of each point, as the median of `window` of them."""

    name: str
    title: str
    x: str
    y: str
    curves: Sequence[str]
    column: int = 1
    window: int = 1


RECORDS = ("records, plain view", "records, live view")
PLOTS = (
    Plot("records", "Mediator, hub, journal and view", "records of one answer", "seconds of CPU", RECORDS),
    Plot("memory", "Memory of the process", "records of one answer", "MiB", RECORDS, 2),
    Plot("characters", "asst ask | cat, at full speed", "characters of the answer", "seconds", ("characters",)),
    Plot("exchanges", "One exchange of a session", "exchanges before it", "ms of CPU", ("exchanges",), window=20),
    Plot("sessions", "The store", "sessions kept", "ms", ("sessions list", "sessions search", "ask -c")),
)


def main() -> None:
    """Draw what there is: the curves of `results.json`, and of `store.json` if the store was measured."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else RESULTS
    curves: dict[str, Points] = {}
    for file in ("results.json", "store.json"):
        if (folder / file).exists():
            for group in json.loads((folder / file).read_text()).values():
                curves |= group.get("curves", {})
    mpl.rcParams["svg.hashsalt"] = "asst"  # the same picture is the same file
    for plot in PLOTS:
        found = {name: curves[name] for name in plot.curves if name in curves}
        if found:
            draw(plot, found, DOCS / f"growth-{plot.name}.svg")
            print(f"docs/growth-{plot.name}.svg")


def draw(plot: Plot, curves: dict[str, Points], file: Path) -> None:
    """Draw one picture."""
    figure = Figure(figsize=(6.4, 3.2), layout="constrained")
    axes = figure.subplots()
    for (name, points), colour in zip(curves.items(), (*COLOURS, INK), strict=False):
        last = {point[0]: point[plot.column] for point in points}  # the last one there is at that place
        axes.plot(list(last), smooth(list(last.values()), plot.window), color=colour, label=name, linewidth=1.8)
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.set_title(plot.title, color=INK, fontsize=11)
    axes.set_xlabel(plot.x, color=INK)
    axes.set_ylabel(plot.y, color=INK)
    axes.tick_params(colors=INK)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(INK)
    if len(curves) > 1:
        axes.legend(frameon=False, labelcolor=INK)
    figure.savefig(file, transparent=True, metadata={"Date": None})


def smooth(values: list[float], window: int) -> list[float]:
    """Each value as the median of those around it."""
    half = window // 2
    around = (sorted(values[max(0, n - half) : n + half + 1]) for n in range(len(values)))
    return [near[len(near) // 2] for near in around]


if __name__ == "__main__":
    main()
