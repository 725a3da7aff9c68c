"""How far a batch is, as a value: it is shown, and kept in a file for `asst batch status`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from ...batches.postgres.collect import Counts

__all__ = ["PROGRESS", "Snapshot", "Used", "last_snapshot", "snapshot_of"]

PROGRESS = "progress.json"
"""In the folder of a batch: a `Snapshot`, some moments old while it runs."""


class Used(msgspec.Struct, frozen=True):
    """What runs have used. `cost` is in US dollars; None if a price is unknown."""

    input_tokens: int = 0
    output_tokens: int = 0
    cost: float | None = 0.0


class Snapshot(msgspec.Struct, frozen=True):
    """How far a batch is. Tokens, `cost` and `max_cost` (US dollars) and `seconds` are of one run; `earlier`: of those before.

    `per_second`: items that settled, of late. `left`: seconds, None if unknown. `paused`: seconds for which nothing is sent,
    because the provider refused requests (`is_refused`) or by a limit of the user's. `sent`: items in a batch at their provider.
    """

    items: int
    done: int
    failed: int
    in_flight: int
    per_second: float = 0.0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float | None = None
    seconds: float = 0.0
    left: float | None = None
    max_cost: float | None = None
    paused: float = 0.0
    is_refused: bool = False
    sent: int = 0
    earlier: Used = Used()

    def of_all_runs(self) -> Snapshot:
        """The same with the tokens and the cost of all runs; no limit holds for those."""
        used = self.used()
        return msgspec.structs.replace(
            self,
            input_tokens=used.input_tokens,
            output_tokens=used.output_tokens,
            cost=used.cost,
            max_cost=None,
            earlier=Used(),
        )

    def used(self) -> Used:
        """What all runs have used."""
        before, is_known = self.earlier, self.cost is not None and self.earlier.cost is not None
        return Used(
            self.input_tokens + before.input_tokens,
            self.output_tokens + before.output_tokens,
            (self.cost or 0.0) + (before.cost or 0.0) if is_known else None,
        )


def last_snapshot(folder: Path) -> Snapshot:
    """How far the batch of this folder was when it was last written; all zero if it never was."""
    try:
        return msgspec.json.decode((folder / PROGRESS).read_bytes(), type=Snapshot)
    except (OSError, ValueError):
        return Snapshot(items=0, done=0, failed=0, in_flight=0, cost=0.0)


def snapshot_of(counts: Counts) -> Snapshot:
    """How far a batch in a database is, of all its runs."""
    return Snapshot(
        items=counts.items,
        done=counts.done,
        failed=counts.failed,
        in_flight=counts.in_flight,
        input_tokens=counts.input_tokens,
        output_tokens=counts.output_tokens,
        cost=counts.cost,
    )
