"""`asst`, with a stop-watch on every frame of the live view: `frames.py FILE ARGUMENTS…`.

Writes into the file, as JSON, the seconds and the CPU seconds of every frame, and of the whole process.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from asstproxy.__main__ import main
from asstproxy.cli.render.live import LiveView

draw = LiveView.draw
frames: list[tuple[float, float]] = []


def timed(view: LiveView) -> None:
    """Draw a frame and keep what it took."""
    wall, cpu = time.perf_counter(), time.process_time()
    draw(view)
    frames.append((time.perf_counter() - wall, time.process_time() - cpu))


if __name__ == "__main__":
    LiveView.draw = timed  # type: ignore[assignment,method-assign]
    told = Path(sys.argv.pop(1))
    before = time.process_time()
    try:
        main()
    finally:
        told.write_text(json.dumps({"frames": frames, "cpu": time.process_time() - before}))
