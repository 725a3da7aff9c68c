"""`asst batch status`: how far a batch is, from any terminal."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import msgspec

from ...batches.jobs import Job, each_job
from ...batches.journal import AGAIN, JOURNAL, PACKED, each_mark, folder_of, read_head
from ...core.errors import UsageError
from ...core.script import State
from ...store.lock import is_locked, lock_holder
from ..standard_streams import write_json
from .snapshot import Snapshot, last_snapshot
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
    snapshot, runs = last_snapshot(folder), is_locked(journal)
    if not runs:
        snapshot = _counted(journal, snapshot).of_all_runs()
    if as_json:
        state = "running" if runs else "ended" if snapshot.done + snapshot.failed >= snapshot.items else "stopped"
        shown = msgspec.to_builtins(snapshot)
        del shown["earlier"]
        shown |= msgspec.to_builtins(snapshot.used())
        batches = [_shown(job) for job in _jobs(journal)]
        more = {"batches": batches} if batches else {}
        write_json(msgspec.json.encode({"state": state, **shown, **more}) + b"\n")
        return
    if runs:
        where = f"running in {lock_holder(journal)}"
    else:
        where = (
            "ended" if snapshot.done + snapshot.failed >= snapshot.items else "stopped; the same command continues it"
        )
        where = f"to collect: asst batch fetch {out}" if snapshot.sent else where
    sys.stdout.write(f"{line_of(snapshot)} · {where}\n")


def _counted(journal: Path, last: Snapshot) -> Snapshot:
    """What the journal says: its process may have died before it wrote how far it was."""
    items: dict[str, str] = {}  # done, failed, sent, or empty
    running: dict[int, str] = {}
    open_jobs = {job.job for job in _jobs(journal) if job.is_open}
    for mark in each_mark(journal):
        if mark.begin is not None:
            running[mark.attempt] = mark.begin.id
            items.setdefault(mark.begin.id, "")
        elif (item := running.pop(mark.attempt, None)) is None or mark.end == AGAIN:
            continue
        elif mark.end != PACKED:
            items[item] = "done" if mark.end == State.COMPLETED.value else "failed"
        elif mark.job in open_jobs:
            items[item] = "sent"
    counts = Counter(items.values())
    return msgspec.structs.replace(
        last,
        items=max(last.items, len(items)),
        done=counts["done"],
        failed=counts["failed"],
        in_flight=0,
        per_second=0.0,
        left=None,
        sent=counts["sent"],
    )


def _shown(job: Job) -> dict[str, object]:
    """A batch at a provider in JSON; `token` has the provider's own ids."""
    return {"profile": job.profile, "state": job.state, "items": job.count, "sent": job.at, "token": job.token}


def _jobs(journal: Path) -> Iterable[Job]:
    """The batches at a provider, as they stand."""
    return {job.job: job for job in each_job(journal)}.values()
