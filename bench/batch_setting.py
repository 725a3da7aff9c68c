"""What every part of `batch.py` needs: the stub server, an input, a command that is timed, and the table."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

__all__ = ["ASST", "Server", "Setting", "timed", "write_items"]

HERE = Path(__file__).parent
ASST = str(Path(sys.executable).with_name("asst"))


class Server:
    """The stub, on its own."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "batch_stub.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def url(self, seconds: float) -> str:
        """The address that answers after so many seconds."""
        return f"http://127.0.0.1:{self.port}/{seconds:g}/v1"

    def close(self) -> None:
        """End it."""
        self._process.communicate("")


def write_items(path: Path, count: int) -> None:
    """An input of so many items."""
    with path.open("w") as file:
        for number in range(count):
            file.write(json.dumps({"id": f"item-{number}", "prompt": f"Question {number}: how many?"}) + "\n")


def timed(argv: list[str], env: Mapping[str, str], folder: Path) -> tuple[float, float, float]:
    """Seconds, seconds of CPU and peak MiB of a command that must succeed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    process = subprocess.Popen(argv, env=dict(env), cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - began
    if process.returncode:
        raise RuntimeError(f"{argv[:3]} exited {process.returncode}: {said.decode()[-300:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, cpu, usage.ru_maxrss / 1024


class Setting:
    """One run of all of it, in one folder. `queue` is the address of a Postgres database, or empty."""

    def __init__(self, folder: Path, server: Server, queue: str = "") -> None:
        self.folder, self.server, self.queue = folder, server, queue

    def env(self, url: str) -> dict[str, str]:
        """The variables of a run against this server."""
        folders = {f"ASST_{kind}_DIR": str(self.folder / kind.lower()) for kind in ("CONFIG", "DATA", "CACHE")}
        return {**os.environ, **folders, "OPENAI_API_KEY": "sk-bench", "OPENAI_BASE_URL": url}

    def clear(self) -> None:
        """Remove the output of the run before."""
        for old in self.folder.glob("out.jsonl*"):
            shutil.rmtree(old) if old.is_dir() else old.unlink()

    def asst(self, count: int, seconds: float, *more: str) -> tuple[float, float, float]:
        """`asst batch` over so many items."""
        write_items(self.folder / "in.jsonl", count)
        self.clear()
        argv = [ASST, "batch", "in.jsonl", "-o", "out.jsonl", "-p", "gpt", "-q", *more]
        return timed(argv, self.env(self.server.url(seconds)), self.folder)

    def row(self, what: str, figures: str, result: str, bar: str) -> None:
        """Print a row of the table."""
        print(f"| {what} | {figures} | {result} | {bar} |", flush=True)
