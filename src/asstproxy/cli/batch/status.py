"""`asst batch status`: how far a batch is, from any terminal."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from ...batches.file_batch import AGAIN
from ...batches.journal import JOURNAL, each_mark, folder_of, read_head
from ...core.errors import UsageError
from ...core.script import State
from ...store.lock import is_locked, lock_holder
from ..standard_streams import write_json
from .snapshot import PROGRESS, Snapshot
from .views import line_of

__all__ = ["show_status"]


def show_status(out: Path, *, as_json: bool) -> None:
    """Print how far the batch is that writes `out`.

    Raises:
        UsageError: no batch does.
    """
    folder = folder_of(out)
    journal = folder / JOURNAL
    if not journal.is_file():
        raise UsageError(f"No batch writes {out}.", "Name the file that was given to -o.")
    read_head(journal)
    snapshot, runs = _last(folder), is_locked(journal)
    if not runs:
        snapshot = _counted(journal, snapshot)
    if as_json:
        state = "running" if runs else "ended" if snapshot.done + snapshot.failed >= snapshot.items else "stopped"
        write_json(msgspec.json.encode({"state": state, **msgspec.to_builtins(snapshot)}) + b"\n")
        return
    if runs:
        where = f"running in {lock_holder(journal)}"
    else:
        where = "ended" if snapshot.done + snapshot.failed >= snapshot.items else "stopped; the same command goes on"
    sys.stdout.write(f"{line_of(snapshot)} · {where}\n")


def _last(folder: Path) -> Snapshot:
    try:
        return msgspec.json.decode((folder / PROGRESS).read_bytes(), type=Snapshot)
    except (OSError, ValueError):
        return Snapshot(items=0, done=0, failed=0, in_flight=0)


def _counted(journal: Path, last: Snapshot) -> Snapshot:
    """What the journal says: its process may have died before it wrote how far it was."""
    items: dict[str, bool | None] = {}  # whether it is done; None: neither that nor failed
    running: dict[int, str] = {}
    for mark in each_mark(journal):
        if mark.begin is not None:
            running[mark.attempt] = mark.begin.id
            items.setdefault(mark.begin.id, None)
        elif mark.attempt in running and mark.end != AGAIN:
            items[running.pop(mark.attempt)] = mark.end == State.COMPLETED.value
    done = sum(one is True for one in items.values())
    failed = sum(one is False for one in items.values())
    return msgspec.structs.replace(
        last,
        items=max(last.items, len(items)),
        done=done,
        failed=failed,
        in_flight=0,
        per_second=0.0,
        left=None,
    )
