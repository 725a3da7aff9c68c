"""Measures the session store on 100,000 made-up sessions: `python bench/sessions.py`; the table goes into `sessions.md`.

`--sessions N` makes fewer (the table is printed, not written); `--keep DIR` makes the store there, or takes the one that is there.
Times of commands are medians of runs that took turns, from start to end and of CPU; what happens inside a process is measured
in a fresh process, whose imports are not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent))

from sessions_made import make, make_session

from asstproxy.store import ulid

ASST = [sys.executable, "-m", "asstproxy"]
RUNS = 15


@dataclass
class Run:
    """Seconds from start to end, and seconds of CPU."""

    wall: float
    cpu: float
    out: bytes = b""


def run(*command: str) -> Run:
    """Run a command to its end."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    assert process.stdout is not None
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, command
    return Run(time.perf_counter() - began, usage.ru_utime + usage.ru_stime, out)


def in_turns(*commands: list[str], runs: int = RUNS) -> list[Run]:
    """The medians of commands that take turns."""
    found: list[list[Run]] = [[] for _ in commands]
    for _ in range(runs):
        for command, runs_of_it in zip(commands, found, strict=True):
            runs_of_it.append(run(*command))
    return [Run(*(median(getattr(r, name) for r in one) for name in ("wall", "cpu"))) for one in found]


def inside(what: str, *arguments: str) -> dict[str, float]:
    """What `sessions_inside.py` measures in a process of its own."""
    done = run(sys.executable, str(Path(__file__).with_name("sessions_inside.py")), what, *arguments)
    found: dict[str, float] = json.loads(done.out)
    return found


def main() -> int:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=100_000)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    folder = options.keep or Path(tempfile.mkdtemp(prefix="asst-bench-"))
    for kind in ("CONFIG", "DATA", "CACHE"):
        os.environ[f"ASST_{kind}_DIR"] = str(folder / kind.lower())
    root = folder / "data" / "sessions"
    if not root.exists():
        began = time.perf_counter()
        make(root, options.sessions)
        print(f"made {options.sessions:,} sessions in {time.perf_counter() - began:.0f} s", file=sys.stderr)
    try:
        table = "\n".join(rows(folder))
    finally:
        if options.keep is None:
            shutil.rmtree(folder)
    print(table)
    if options.sessions >= 100_000:
        cores, load = os.cpu_count(), os.getloadavg()[0]
        about = f"{options.sessions:,} sessions; {cores} cores, Python {sys.version.split()[0]}, load {load:.1f}"
        text = f"# The session store\n\n`python bench/sessions.py`. {about}. wall / CPU where there are two figures.\n\n{table}\n"
        Path(__file__).with_name("sessions.md").write_text(text)
    return 0


def rows(folder: Path) -> list[str]:
    """The table."""
    table = ["| what | measured | bar |", "|---|--:|--:|"]

    def row(what: str, measured: str, bar: str = "") -> None:
        table.append(f"| {what} | {measured} | {bar} |")
        print(table[-1], file=sys.stderr)

    shutil.rmtree(folder / "cache", ignore_errors=True)
    build = run(*ASST, "sessions", "search", "bacodi")
    row("first search: the index is built", f"{build.wall:.1f} / {build.cpu:.1f} s", "20 s")
    helped, listed = in_turns([*ASST, "--help"], [*ASST, "sessions", "list"])
    more = (1e3 * (listed.wall - helped.wall), 1e3 * (listed.cpu - helped.cpu))
    row("`sessions list`, more than `asst --help`", f"{more[0]:.0f} / {more[1]:.0f} ms", "60 ms")
    row("(`asst --help`)", f"{1e3 * helped.wall:.0f} / {1e3 * helped.cpu:.0f} ms")
    found = inside("open")
    row("open the newest session for `ask -c`", f"{found['wall']:.1f} / {found['cpu']:.1f} ms", "30 ms")
    long_ = make_session(folder / "long", time.time_ns() // 1_000_000, 1000, random.Random(1))
    found = inside("open", str(long_.parent.parent))
    row("open one of 1,000 exchanges", f"{found['wall']:.0f} / {found['cpu']:.0f} ms")
    rare, common = in_turns([*ASST, "sessions", "search", "bacodi"], [*ASST, "sessions", "search", "and"], runs=7)
    row("search, warm, a rare word: the whole command", f"{rare.wall:.2f} / {rare.cpu:.2f} s", "0.4 s")
    row("search, warm, a word of every session: the whole command", f"{common.wall:.2f} / {common.cpu:.2f} s", "0.4 s")
    ideographs = in_turns([*ASST, "sessions", "search", "\u4e07\u4e0e"], runs=7)[0]
    row("search, warm, two ideographs: the whole command", f"{ideographs.wall:.2f} / {ideographs.cpu:.2f} s", "0.4 s")
    found = inside("search", "and")
    row("… of which the search itself", f"{found['wall']:.0f} / {found['cpu']:.0f} ms")
    long_ = make_session(folder / "long", time.time_ns() // 1_000_000, 5000, random.Random(1))
    found = inside("exchange", str(long_.parent.parent), long_.stem)
    new = inside("exchange", str(folder / "fresh"), "")
    row(
        "an exchange, session of 5,000 exchanges / new: bytes to the disk without the transcript's rewrite",
        f"{found['bytes']:.0f} / {new['bytes']:.0f}", "1 ×",
    )  # fmt: skip
    row(
        "… from `started` until the person has the answer",
        f"{found['answer']:.1f} / {new['answer']:.1f} ms", "the rewrite is not on the way",
    )  # fmt: skip
    row("… the rewrite, in the background", f"{found['rewrite']:.0f} / {new['rewrite']:.0f} ms")
    small = folder / "small"
    if not small.exists():
        make(small / "data" / "sessions", 1000)
    commands = {
        "`list --all`": ["list", "--all"],
        "`search`": ["search", "bacodi"],
        "`prune`, all of them": ["prune", "--older-than", "0h"],
        "`rm` of one": ["rm", "--yes"],
    }
    for name, arguments in commands.items():
        peaks = [_peak(place, arguments) for place in (folder, small)]
        row(f"memory of {name}: all sessions / 1,000", f"{peaks[0]:.0f} / {peaks[1]:.0f} MiB", "does not grow")
    return table


def _peak(place: Path, arguments: list[str]) -> float:
    os.environ["ASST_DATA_DIR"], os.environ["ASST_CACHE_DIR"] = str(place / "data"), str(place / "cache")
    if arguments[0] == "rm":
        made = make_session(
            place / "data" / "sessions", ulid.time_of("01J00000000000000000000000"), 1, random.Random(2)
        )
        arguments = [*arguments, made.stem]
    command = [sys.executable, "-c", _PEAK, "sessions", *arguments]
    return (
        float(subprocess.run(command, capture_output=True, check=True).stderr.rsplit(b"VmHWM:", 1)[1].split()[0]) / 1024
    )


# The peak that `wait4` tells is that of this process, when it is larger: the child begins as its copy.
_PEAK = """
import sys
from asstproxy.cli.main import run
code = run(sys.argv[1:])
sys.stderr.write(open("/proc/self/status").read())
sys.exit(code)
"""


if __name__ == "__main__":
    sys.exit(main())
