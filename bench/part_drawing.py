"""A long Markdown answer, drawn while it comes at 400 characters a second."""

from __future__ import annotations

import json
from statistics import median

from process import Program, run
from setting import Setting
from table import Group, Row
from wire import PIECE

__all__ = ["measure"]

PACE = 400
"""Characters a second."""


def measure(setting: Setting) -> Group:
    """CPU, frames, and what is left in the terminal, next to the same answer printed at once."""
    group, folder = Group(runs=1), setting.folder  # it takes as long as it takes
    characters = setting.scale.characters
    answer = f"m{characters}"
    told = folder / "frames.json"
    env = {"OPENAI_BASE_URL": setting.stub.url(answer, PACE / PIECE)}
    live = setting.inside("frames", str(told), "ask", "-p", "gpt", "Go on.", env=env)
    ran = run(Program(live.argv, live.env, tty=True))
    measured = json.loads(told.read_text())
    walls, cpus = ([1000 * frame[which] for frame in measured["frames"]] for which in (0, 1))
    what = f"{characters:,} characters of Markdown at {PACE} a second, drawn live"
    share = 100 * ran.cpu / ran.wall
    figures = f"{ran.cpu:.1f} s of CPU in {ran.wall:.0f} s, start and end included"
    group.rows.append(Row(f"{what}: of a core", figures, share, 5.0, "≤", " %"))
    slow = sum(wall > 50 for wall in walls)
    figures = (
        f"{len(walls):,} frames, median {median(walls):.1f} ms, {slow} over 50 ms; most CPU in one: {max(cpus):.1f} ms"
    )
    group.rows.append(Row("the same: worst frame", figures, max(walls), 50.0, "≤", " ms"))
    if "raw" in setting.programs.places:
        at_once = run(setting.programs.asst("--no-stream", answer=answer, tty=True)["asst"]).out
        _compare(setting, group, ran.out, at_once)
    return group


def _compare(setting: Setting, group: Group, live: bytes, at_once: bytes) -> None:
    """Play both recordings to a terminal emulator."""
    files = [setting.folder / name for name in ("live.tty", "at-once.tty")]
    for file, recording in zip(files, (live, at_once), strict=True):
        file.write_bytes(recording)
    program = setting.inside("scrollback", *map(str, files), place="raw")
    found = json.loads(run(program).out)
    same = found["differs"] is None
    figures = f"{found['rows']:,} rows" + ("" if same else f", the first difference in row {found['differs']}")
    group.rows.append(
        Row("the same: scrollback as printed at once", figures, float(same), 1.0, "≥", " (1 = identical)")
    )
