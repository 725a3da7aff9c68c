"""Record examples/moving.jsonl: one session that moves through seven APIs, at the local servers of the tests.

python scripts/record_moving.py
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))  # the servers are the tests'

from system.moving import RECORDING, TOUR, touring


def main() -> None:
    """Hold the session, and keep its journal."""
    with tempfile.TemporaryDirectory() as folder, touring(Path(folder) / "here") as tour:
        for stop in TOUR:
            sys.stderr.write(f"{stop.profile}: {tour.visit(stop)}\n")
        shutil.copyfile(tour.journal, RECORDING)


if __name__ == "__main__":
    main()
