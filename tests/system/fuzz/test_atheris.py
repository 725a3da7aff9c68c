"""The same targets, guided by coverage: each for `SECONDS`, in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from .targets import TARGETS

SECONDS = int(os.environ.get("ASST_FUZZ_SECONDS", "20"))


@pytest.mark.slow(reason=f"{SECONDS} seconds for each target")
@pytest.mark.parametrize("name", TARGETS)
def test_guided(name: str, tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """Nothing is found; what is, comes out with the failure as bytes, to be put into `FOUND`."""
    pytest.importorskip("atheris")
    done = subprocess.run(
        [sys.executable, "-m", "system.fuzz.guided", name, str(SECONDS), str(tmp_path)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=SECONDS + 120,
        check=False,
    )
    found = [file.read_bytes() for file in tmp_path.glob("*-*") if file.is_file()]
    assert done.returncode == 0, f"{found}\n{done.stderr[-4000:]}"
    runs = re.findall(r"Done (\d+) runs in (\d+) second", done.stderr)
    assert runs, done.stderr[-2000:]
    assert int(runs[0][0]) > len(TARGETS[name].seeds)
    record_property("figure", f"{name}: {int(runs[0][0]):,} inputs by atheris in {runs[0][1]} s")
