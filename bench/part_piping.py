"""A long answer as plain text into a pipe, as fast as the server sends it."""

from __future__ import annotations

from collections.abc import Sequence

from process import Ran, middle
from setting import Setting
from table import Group

__all__ = ["measure"]


def measure(setting: Setting) -> Group:
    """Characters a second from the first byte to the end of the process, and what growing answers cost."""
    group, programs = Group(), setting.programs
    characters = setting.scale.characters
    answer = f"m{characters}"
    ran = setting.interleave({**programs.asst(answer=answer), **programs.raw("raw_httpx2", answer)})
    speed = {name: _speed(runs, characters) for name, runs in ran.items()}
    if "raw_httpx2" in speed:
        figures = f"asst {speed['asst']:,.0f} · raw httpx2 script {speed['raw_httpx2']:,.0f} characters/s"
        what = f"{characters:,} characters into a pipe at full speed"
        group.compare(what, speed["asst"], speed["raw_httpx2"], 0.8, figures=figures, rival="", sense="≥")
    curve = []
    for part in range(1, 6):
        length = characters * part // 5
        runs = setting.interleave(programs.asst(answer=f"m{length}"))["asst"]
        curve.append([float(length), middle(runs, lambda one: one.wall)])
    group.curves["characters"] = curve
    return group


def _speed(runs: Sequence[Ran], characters: int) -> float:
    return characters / middle(runs, lambda one: one.reading)
