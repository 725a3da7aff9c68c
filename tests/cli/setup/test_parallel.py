"""Many `asst setup` at once: whatever one of them says it saved is there at the end."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from asstproxy.config.credentials import stored_keys

SAVE = """
import sys
from asstproxy.config.credentials import store_key
from asstproxy.config.edit import set_profile
name = sys.argv[1]
for number in range(int(sys.argv[2])):
    change = set_profile(f"{name}-{number}", {"provider": "gpt"}, default=True)
    change.write()
    store_key(f"{name}_{number}_KEY".upper(), "sk-0123456789")
print("done")
"""


@pytest.mark.parametrize(
    ("processes", "each"),
    [(4, 5), pytest.param(20, 10, marks=pytest.mark.slow(reason="200 profiles by 20 processes at once"))],
)
def test_no_profile_and_no_key_is_lost(config: Path, processes: int, each: int) -> None:
    """Profiles and keys that several processes save at once are all kept, and every process succeeds."""
    running = [
        subprocess.Popen(
            [sys.executable, "-c", SAVE, f"p{number}", str(each)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(processes)
    ]
    assert [process.communicate(timeout=240) for process in running] == [("done\n", "")] * processes
    names = {f"p{number}-{one}" for number in range(processes) for one in range(each)}
    kept = tomllib.loads(config.read_text())
    assert set(kept["profiles"]) == names
    assert kept["default"] in names
    assert len(stored_keys()) == processes * each
    assert {path.name for path in config.parent.iterdir()} == {"config.toml", "credentials.toml"}
