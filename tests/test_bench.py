"""The bench runs: nearly nothing of everything, without rivals."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

RUN = Path(__file__).parent.parent / "bench" / "run.py"
PARTS = ["startup", "asking", "chatting", "drawing", "piping", "keeping", "storing", "sizes"]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it asks /proc and a pseudo-terminal")


@pytest.mark.slow(reason="every part of the bench, dozens of processes")
def test_every_part_measures_something(tmp_path: Path) -> None:
    """A command, a view or a name that has changed shows here, and not on the day when somebody measures."""
    command = [sys.executable, str(RUN), "--tiny", "--here", "--folder", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=400, check=False)
    results = (
        json.loads((tmp_path / "results-quick.json").read_text()) if (tmp_path / "results-quick.json").exists() else {}
    )
    assert list(results) == PARTS, done.stderr
    assert all(group["rows"] or group["tables"] or group["curves"] for group in results.values())
    assert "Traceback" not in done.stderr
