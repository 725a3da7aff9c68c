"""Measures `asst batch` next to the loops that people write: `python bench/batch.py`; the table is printed for README.md.

The server is `stub.py`, which waits for a second or not at all. `xargs -P8 llm` is measured if `llm` is on the path,
and Postgres if `--queue` names a database.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

HERE = Path(__file__).parent
ASST = str(Path(sys.executable).with_name("asst"))
LOOP = HERE / "raw" / "batch_loop.py"


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


class Bench:
    """One run of all of it, in one folder."""

    def __init__(self, folder: Path, server: Server, queue: str = "") -> None:
        self.folder, self.server, self.queue = folder, server, queue
        self.rows: list[tuple[str, str, str, str]] = []

    def env(self, seconds: float) -> dict[str, str]:
        """The variables of a run against the stub."""
        folders = {f"ASST_{kind}_DIR": str(self.folder / kind.lower()) for kind in ("CONFIG", "DATA", "CACHE")}
        return {**os.environ, **folders, "OPENAI_API_KEY": "sk-bench", "OPENAI_BASE_URL": self.server.url(seconds)}

    def asst(self, count: int, seconds: float, *more: str) -> tuple[float, float, float]:
        """`asst batch` over so many items."""
        write_items(self.folder / "in.jsonl", count)
        for old in self.folder.glob("out.jsonl*"):
            shutil.rmtree(old) if old.is_dir() else old.unlink()
        argv = [ASST, "batch", "in.jsonl", "-o", "out.jsonl", "-p", "gpt", "-q", *more]
        return timed(argv, self.env(seconds), self.folder)

    def loop(self, count: int, seconds: float, width: int) -> tuple[float, float, float]:
        """The asyncio script on httpx2 that keeps nothing."""
        write_items(self.folder / "in.jsonl", count)
        argv = [sys.executable, str(LOOP), self.server.url(seconds), "in.jsonl", "loop.jsonl", str(width)]
        return timed(argv, self.env(seconds), self.folder)

    def row(self, what: str, figures: str, result: str, bar: str) -> None:
        """Add a row to the table, and print it."""
        self.rows.append((what, figures, result, bar))
        print(f"| {what} | {figures} | {result} | {bar} |", flush=True)

    def at_a_second(self) -> None:
        """1,000 items × 1 s, 64 at a time."""
        wall, cpu, _ = self.asst(1000, 1.0, "--concurrency", "64")
        other, loop_cpu, _ = self.loop(1000, 1.0, 64)
        ideal = 1000 / 64
        self.row(
            "1,000 items × 1 s, 64 in flight: of the ideal",
            f"asst {wall:.1f} s ({cpu:.1f} s of CPU) · asyncio script {other:.1f} s ({loop_cpu:.1f}) · ideal {ideal:.1f} s",
            f"{100 * ideal / wall:.0f} %",
            "≥ 90 %",
        )

    def at_once(self, count: int = 3000) -> None:
        """Items that are answered at once."""
        empty = self.asst(1, 0.0)
        wall, cpu, _ = self.asst(count, 0.0, "--concurrency", "32")
        other, loop_cpu, _ = self.loop(count, 0.0, 32)
        self.row(
            "no latency: items a second",
            f"asst {count / wall:.0f} · asyncio script {count / other:.0f}",
            f"{count / wall:.0f}/s",
            "≥ 300/s",
        )
        each = 1000 * (cpu - empty[1]) / count
        self.row(
            "CPU an item",
            f"asst {each:.2f} ms · asyncio script {1000 * loop_cpu / count:.2f} ms",
            f"{each:.2f} ms",
            "≤ 2.5 ms",
        )
        if llm := shutil.which("llm"):
            self._xargs(llm)

    def _xargs(self, llm: str) -> None:
        home = self.folder / "llm"
        home.mkdir(exist_ok=True)
        url = self.server.url(0.0)
        (home / "extra-openai-models.yaml").write_text(f"- model_id: stub\n  model_name: stub\n  api_base: {url}\n")
        env = {**self.env(0.0), "LLM_USER_PATH": str(home)}
        command = f"seq 40 | xargs -P8 -I% {llm} -m stub 'Question %'"
        wall, cpu, _ = timed(["bash", "-c", command], env, self.folder)
        self.row(
            "the same with `xargs -P8 llm`", f"40 items in {wall:.1f} s, {1000 * cpu / 40:.0f} ms of CPU each", "", ""
        )

    def accepting(self) -> None:
        """100,000 lines until the first request could go out."""
        wall, cpu, memory = self.asst(100_000, 0.0, "--limit", "1")
        self.row(
            "100,000 lines accepted, one asked",
            f"{wall:.1f} s ({cpu:.1f} s of CPU), {memory:.0f} MiB",
            f"{wall:.1f} s",
            "≤ 3 s",
        )

    def memory(self) -> None:
        """The peak with 10,000 and with 1,000,000 lines, of which as many are asked."""
        few = self.asst(10_000, 0.0, "--limit", "1000", "--concurrency", "32")[2]
        many = self.asst(1_000_000, 0.0, "--limit", "1000", "--concurrency", "32")[2]
        self.row(
            "peak memory", f"10,000 lines {few:.0f} MiB · 1,000,000 lines {many:.0f} MiB", f"{many:.0f} MiB", "≤ 150 MB"
        )

    def killing(self, rounds: int) -> None:
        """Kill -9 at random moments; the last run finishes."""
        count = 400
        write_items(self.folder / "in.jsonl", count)
        for old in self.folder.glob("out.jsonl*"):
            shutil.rmtree(old) if old.is_dir() else old.unlink()
        argv = [ASST, "batch", "in.jsonl", "-o", "out.jsonl", "-p", "gpt", "-q", "--concurrency", "16"]
        killed = 0
        for _ in range(rounds):
            process = subprocess.Popen(argv, env=self.env(0.2), cwd=self.folder)
            try:
                process.wait(random.uniform(0.5, 2.0))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait()
                killed += 1
        timed(argv, self.env(0.0), self.folder)
        ids = [json.loads(line)["id"] for line in (self.folder / "out.jsonl").read_text().splitlines()]
        lost, twice = count - len(set(ids)), len(ids) - len(set(ids))
        self.row(
            f"kill -9, {killed} of {rounds} rounds hit", f"{count} items", f"{lost} lost, {twice} twice in OUT", "0, 0"
        )

    def at_the_provider(self) -> None:
        """Through a provider's batch API, which answers at once: packed, sent, collected and written."""
        sizes = (10_000, 50_000, 100_000)
        empty = self.asst(1, 0.0, "--provider-batch")
        runs = [self.asst(size, 0.0, "--provider-batch") for size in sizes]
        figures = " · ".join(
            f"{size:,} items {wall:.1f} s, {1000 * (cpu - empty[1]) / size:.2f} ms of CPU each, {memory:.0f} MiB"
            for size, (wall, cpu, memory) in zip(sizes, runs, strict=True)
        )
        wall, _, memory = runs[1]
        self.row(
            "--provider-batch: packed, sent, collected, written",
            figures,
            f"{sizes[1] / wall:.0f}/s, {memory:.0f} MiB",
            "",
        )

    def sharing(self) -> None:
        """Through Postgres: 100,000 lines into it, then 2,000 items without latency, which two workers ask."""
        if not self.queue:
            return
        wall, cpu, memory = self.asst(100_000, 0.0, "--queue", self.queue, "--no-follow")
        self.row(
            "100,000 lines into Postgres",
            f"{wall:.1f} s ({cpu:.1f} s of CPU), {memory:.0f} MiB",
            f"{wall:.1f} s",
            "≤ 12 s",
        )
        timed([ASST, "batch", "cancel", "out.jsonl", "--queue", self.queue], self.env(0.0), self.folder)
        argv = [ASST, "batch", "work", "--queue", self.queue, "-p", "gpt", "-q", "--concurrency", "16"]
        workers = [subprocess.Popen(argv, env=self.env(0.0), cwd=self.folder) for _ in range(2)]
        try:
            self.asst(50, 0.0, "--queue", self.queue)  # they are up
            empty = self.asst(1, 0.0, "--queue", self.queue)[0]
            wall, _, _ = self.asst(2000, 0.0, "--queue", self.queue)
        finally:
            for worker in workers:
                worker.terminate()
                worker.wait()
        self.row(
            "no latency through Postgres, two workers",
            f"2,000 items in {wall:.1f} s with submitting and collecting; one item {empty:.1f} s",
            f"{2000 / wall:.0f}/s",
            "≥ 150/s",
        )


PARTS: dict[str, Callable[[Bench], None]] = {
    "second": Bench.at_a_second,
    "once": Bench.at_once,
    "accepting": Bench.accepting,
    "memory": Bench.memory,
    "provider": Bench.at_the_provider,
    "sharing": Bench.sharing,
    "killing": lambda bench: bench.killing(20),
}


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--queue", default="", help="an empty Postgres database, for what goes through one")
    options = parser.parse_args()
    server = Server()
    print("| what | figures | result | bar |\n|---|---|--:|--:|")
    try:
        with tempfile.TemporaryDirectory() as folder:
            bench = Bench(Path(folder), server, options.queue)
            for part in options.only:
                PARTS[part](bench)
    finally:
        server.close()


if __name__ == "__main__":
    main()
