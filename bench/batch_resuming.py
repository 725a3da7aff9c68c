"""A batch of 100,000 items that is over but for one: how long until that one is asked, and its line written."""

from __future__ import annotations

import sys
from pathlib import Path

from batch_setting import ASST, Setting, timed, write_items

from asstproxy.batches.file_batch import accept
from asstproxy.batches.item import require_text
from asstproxy.batches.reading import open_input

__all__ = ["resuming"]


def resuming(setting: Setting, count: int = 100_000) -> None:
    """The journal and the output are those of a first item, written again for each of the others."""
    setting.asst(1, 0.0)
    journal = setting.folder / "out.jsonl.asst" / "journal.jsonl"
    head, *lines = journal.read_text().splitlines(keepends=True)
    answer = (setting.folder / "out.jsonl").read_text()
    write_items(setting.folder / "in.jsonl", count)
    bodies = _bodies(setting.folder / "in.jsonl", count)
    with journal.open("w") as file, (setting.folder / "out.jsonl").open("w") as out:
        file.write(head)
        for number in range(count - 1):
            for line in lines:
                new = line.replace('{"attempt":1,', f'{{"attempt":{number + 1},', 1)
                new = new.replace('"item-0"', f'"item-{number}"', 1)
                file.write(new.replace(f"{bodies[0]:016x}", f"{bodies[number]:016x}", 1))
            out.write(answer.replace('"item-0"', f'"item-{number}"', 1))
    size = journal.stat().st_size / 1e6
    argv = [ASST, "batch", "in.jsonl", "-o", "out.jsonl", "-p", "gpt", "-q"]
    wall, cpu, memory = timed(argv, setting.env(setting.server.url(0.0)), setting.folder)
    with (setting.folder / "out.jsonl").open("rb") as out_now:
        assert sum(1 for _ in out_now) == count
    setting.row(
        f"{count:,} items resumed, of which one is still to be asked",
        f"{wall:.1f} s ({cpu:.1f} s of CPU), {memory:.0f} MiB; the journal has {size:.0f} MB",
        f"{wall:.1f} s",
        "≤ 3 s",
    )


def _bodies(path: Path, count: int) -> list[int]:
    with open_input(str(path), require_text, lines=False, stdin=sys.stdin.buffer) as source:
        ledger = accept(source)
    return [ledger.body(number) for number in range(count)]
