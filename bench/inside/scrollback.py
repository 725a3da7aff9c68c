"""What a terminal shows: `scrollback.py ONE OTHER` plays two recordings to an emulator and compares what is left of them.

Prints a JSON object: `rows` of the first; `differs`: the first row of the answer that is not the same, or null.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pyte

COLUMNS, ROWS = 80, 24
TIMES = "completed · "
"""Begins the last line of an exchange, which says how long it took."""


def rows(recording: bytes) -> list[list[tuple[str, ...]]]:
    """The rows that scrolled off and those on the screen: of each cell its character and its looks; up to the times."""
    screen = pyte.HistoryScreen(COLUMNS, ROWS, history=1_000_000)
    pyte.ByteStream(screen).feed(recording)
    lines = [*screen.history.top, *(screen.buffer[row] for row in range(ROWS))]
    shown = [[tuple(map(str, line[column])) for column in range(COLUMNS)] for line in lines]
    for place, line in enumerate(shown):
        if "".join(cell[0] for cell in line).startswith(TIMES):
            return shown[:place]
    return shown


if __name__ == "__main__":
    one, other = (rows(Path(name).read_bytes()) for name in sys.argv[1:3])
    differs = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), None)
    if differs is None and len(one) != len(other):
        differs = min(len(one), len(other))
    print(json.dumps({"rows": len(one), "other": len(other), "differs": differs}))
