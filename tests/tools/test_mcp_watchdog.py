"""No server outlives asst, however asst ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from forked import asst_command
from forked.asst_command import ASST

pytest.importorskip("mcp")

from asstproxy.config.profiles import config_file

from .mcp_rig import listed, odd

pytestmark = pytest.mark.skipif(not hasattr(os, "killpg"), reason="no process groups here")

STARTS_ANOTHER = """
import subprocess, sys
subprocess.run([sys.executable, *sys.argv[1:]])
"""


def until(holds: Callable[[], object], seconds: float) -> bool:
    """Whether it holds within this time."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def runs(process: int) -> bool:
    """Whether a process runs; one that nobody has waited for doesn't."""
    try:
        state = subprocess.run(["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True, check=True)
    except subprocess.CalledProcessError:
        return False
    return not state.stdout.startswith("Z")


@pytest.mark.parametrize("starts_another", [False, True], ids=["itself", "through another process"])
@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGKILL, signal.SIGTERM])
def test_a_deaf_server_ends_with_asst(number: signal.Signals, tmp_path: Path, *, starts_another: bool) -> None:
    """A hangup, `kill -9`, SIGTERM: also one that ignores its closed input and SIGTERM, and that a launcher started."""
    pid = tmp_path / "pid"
    server = odd({"tools": [listed("hang")], "deaf": True, "pid": str(pid)})
    if starts_another:
        server["args"] = ["-c", STARTS_ANOTHER, *server["args"]]
    config_file().parent.mkdir(parents=True, exist_ok=True)
    config_file().write_text(
        '[profiles.work]\nprovider = "gpt"\n[profiles.work.mcp.s]\n'
        f"command = {json.dumps(server['command'])}\nargs = {json.dumps(server['args'])}\n"
    )
    asst = asst_command.start(
        [ASST, "tools", "run", "s_hang", "-p", "work"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        assert until(lambda: pid.exists() and pid.read_text(), 30)
        child = int(pid.read_text())
        assert runs(child)
        asst.send_signal(number)
        asst.wait(10)
        assert until(lambda: not runs(child), 10)
    finally:
        asst.kill()
        asst.wait()
