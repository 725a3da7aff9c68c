"""Writes the table into `bench/README.md`, between its two marks."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from pathlib import Path

from rivals import Place
from table import Group

__all__ = ["machine", "versions", "write"]

README = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- measured -->\n", "<!-- end -->\n"
PACKAGES = {
    "asst": ("asstproxy", "httpx2", "rich", "typer"),
    "llm": ("llm",),
    "sgpt": ("shell-gpt",),
    "clai": ("clai",),
    "raw": ("openai",),
}
HEAD = "| what | figures | result | bar | |\n|---|---|--:|--:|---|"


def machine() -> str:
    """The machine in one line: nothing that names it."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}, Python {platform.python_version()}"


def versions(places: Mapping[str, Place]) -> str:
    """What was compared."""
    found = ((package, place) for name, place in places.items() for package in PACKAGES[name])
    return ", ".join(f"{package} {place.version(package)}" for package, place in found)


def write(groups: Mapping[str, Group], about: str) -> str:
    """Put the rows and tables into the file; returns them."""
    rows = [row.markdown() for group in groups.values() for row in group.rows]
    dates = sorted(group.date for group in groups.values())
    most = max(group.runs for group in groups.values())
    fewer = ", ".join(f"{name} ({group.runs})" for name, group in groups.items() if group.runs < most)
    runs = f"medians of {most} runs in turn" + (f"; fewer runs: {fewer}" if fewer else "")
    text = f"{dates[0]} to {dates[-1]}; {about}; {runs}.\n\n{HEAD}\n" + "\n".join(rows) + "\n"
    for group in groups.values():
        for title, table in group.tables.items():
            text += f"\n### {title}\n\n{table}\n"
    before, _, rest = README.read_text().partition(BEGIN)
    README.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.partition(END)[2]}")
    return text
