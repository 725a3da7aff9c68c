"""Measures asst against what people would use instead: `python bench/run.py`; see README.md."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import readme
from programs import Programs
from rivals import here, install
from serving import Stub
from setting import FULL, QUICK, TINY, Setting
from table import Group

PARTS = ("startup", "asking", "chatting", "drawing", "piping", "keeping", "storing", "sizes")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; the exit code is the number of bars that were missed."""
    options = _parser().parse_args(arguments)
    folder: Path = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    scale = TINY if options.tiny else QUICK if options.quick else FULL
    again = () if options.keep else ("asst",)
    places = here(folder) if options.here else install(folder, again=again)
    results = folder / ("results-quick.json" if scale is not FULL else "results.json")
    groups = _load(results)
    with Stub() as stub:
        setting = Setting(Programs(places, stub), stub, scale, folder)
        for part in options.only or PARTS:
            began = time.monotonic()
            group: Group = importlib.import_module(f"part_{part}").measure(setting)
            group.runs, group.date = group.runs or scale.runs, datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
            groups[part] = group
            print(f"{part}: {time.monotonic() - began:.0f} s", file=sys.stderr)
            for row in group.rows:
                print(row.markdown())
            results.write_text(json.dumps({name: one.dump() for name, one in groups.items()}))
    if scale is FULL and set(groups) == set(PARTS):
        readme.write({name: groups[name] for name in PARTS}, f"{readme.machine()}; {readme.versions(places)}")
    return sum(not row.met for group in groups.values() for row in group.rows)


def _load(results: Path) -> dict[str, Group]:
    """What was measured before: a part that is not run now keeps its figures."""
    if not results.exists():
        return {}
    return {name: Group.load(group) for name, group in json.loads(results.read_text()).items()}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="3 runs and less of everything; README.md stays as it is")
    parser.add_argument("--tiny", action="store_true", help="1 run of nearly nothing: does the bench work?")
    parser.add_argument("--only", nargs="+", choices=PARTS, help="these parts; the others keep their figures")
    parser.add_argument("--here", action="store_true", help="no rivals: only asst, as this interpreter has it")
    parser.add_argument("--keep", action="store_true", help="do not install asst anew")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "asst-bench", help="for its files")
    return parser


if __name__ == "__main__":
    sys.exit(main())
