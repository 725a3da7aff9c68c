"""Measures `asst batch` next to the loops that people write: `python bench/batch.py`; the table is printed for README.md.

The server is `batch_stub.py`, which waits for a second or not at all; for the kills, the tests' server, which keeps responses.
"""

from __future__ import annotations

import argparse
import math
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from batch_kills import kill_batches, kill_workers
from batch_resuming import resuming
from batch_rivals import by_asyncio, by_inspect, by_xargs
from batch_setting import Server, Setting
from batch_shared import collecting, sharing


def at_a_second(setting: Setting) -> None:
    """1,000 items × 1 s, 64 at a time."""
    wall, cpu, _ = setting.asst(1000, 1.0, "--concurrency", "64")
    other, loop_cpu, _ = by_asyncio(setting, 1000, 1.0, 64)
    ideal = math.ceil(1000 / 64)  # seconds: so many rounds, the last one of 40
    setting.row(
        "1,000 items × 1 s, 64 in flight: of the ideal",
        f"asst {wall:.1f} s ({cpu:.1f} s of CPU) · asyncio script {other:.1f} s ({loop_cpu:.1f}) · ideal {ideal:.1f} s",
        f"{100 * ideal / wall:.0f} %",
        "≥ 90 %",
    )


def at_once(setting: Setting, count: int = 3000) -> None:
    """Items that are answered at once."""
    empty = setting.asst(1, 0.0)
    wall, cpu, _ = setting.asst(count, 0.0, "--concurrency", "32")
    other, loop_cpu, _ = by_asyncio(setting, count, 0.0, 32)
    setting.row(
        "no latency: items a second",
        f"asst {count / wall:.0f} · asyncio script {count / other:.0f}",
        f"{count / wall:.0f}/s",
        "≥ 300/s",
    )
    each = 1000 * (cpu - empty[1]) / count
    setting.row(
        "CPU an item",
        f"asst {each:.2f} ms · asyncio script {1000 * loop_cpu / count:.2f} ms",
        f"{each:.2f} ms",
        "≤ 2.5 ms",
    )


def accepting(setting: Setting) -> None:
    """100,000 lines, and one of them asked."""
    wall, cpu, memory = setting.asst(100_000, 0.0, "--limit", "1")
    setting.row(
        "100,000 lines accepted, one asked",
        f"{wall:.1f} s ({cpu:.1f} s of CPU), {memory:.0f} MiB",
        f"{wall:.1f} s",
        "≤ 3 s",
    )


def memory(setting: Setting) -> None:
    """The peak with 10,000 and with 1,000,000 lines, of which as many are asked."""
    few = setting.asst(10_000, 0.0, "--limit", "1000", "--concurrency", "32")[2]
    many = setting.asst(1_000_000, 0.0, "--limit", "1000", "--concurrency", "32")[2]
    setting.row(
        "peak memory", f"10,000 lines {few:.0f} MiB · 1,000,000 lines {many:.0f} MiB", f"{many:.0f} MiB", "≤ 150 MB"
    )


def at_the_provider(setting: Setting) -> None:
    """Through a provider's batch API, which answers at once: packed, sent, collected and written."""
    sizes = (10_000, 50_000, 100_000)
    empty = setting.asst(1, 0.0, "--provider-batch")
    runs = [setting.asst(size, 0.0, "--provider-batch") for size in sizes]
    figures = " · ".join(
        f"{size:,} items {wall:.1f} s, {1000 * (cpu - empty[1]) / size:.2f} ms of CPU each, {peak:.0f} MiB"
        for size, (wall, cpu, peak) in zip(sizes, runs, strict=True)
    )
    wall, _, peak = runs[1]
    setting.row(
        "--provider-batch: packed, sent, collected, written", figures, f"{sizes[1] / wall:.0f}/s, {peak:.0f} MiB", ""
    )


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queue", default="", help="an empty Postgres database: measures what goes through one, too")
    parser.add_argument("--llm", default=shutil.which("llm") or "", help="the command llm, if it isn't on the path")
    parser.add_argument("--inspect", default="", help="a python that has inspect_ai and openai")
    parser.add_argument("--rounds", type=int, default=20, help="of kill -9")
    parts: dict[str, Callable[[Setting], None]] = {
        "second": at_a_second,
        "once": at_once,
        "xargs": lambda setting: by_xargs(setting, options.llm),
        "inspect": lambda setting: by_inspect(setting, options.inspect),
        "accepting": accepting,
        "resuming": resuming,
        "memory": memory,
        "provider": at_the_provider,
        "killing": lambda setting: kill_batches(setting, options.rounds),
        "sharing": sharing,
        "collecting": collecting,
        "workers": lambda setting: kill_workers(setting, options.rounds),
    }
    parser.add_argument("--only", nargs="+", choices=parts, default=list(parts))
    options = parser.parse_args()
    server = Server()
    print("| what | figures | result | bar |\n|---|---|--:|--:|")
    try:
        with tempfile.TemporaryDirectory() as folder:
            setting = Setting(Path(folder), server, options.queue)
            for part in options.only:
                parts[part](setting)
    finally:
        server.close()


if __name__ == "__main__":
    main()
