"""How far a batch is, as a value: it is shown, and kept in a file for `asst batch status`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from ...batches.postgres.collect import Counts

__all__ = ["PROGRESS", "Snapshot", "snapshot_of"]

PROGRESS = "progress.json"
"""In the folder of a batch: a `Snapshot`, some moments old while it runs."""


class Snapshot(msgspec.Struct, frozen=True):
    """How far a batch is. Tokens, `cost` and `max_cost` (US dollars) and `seconds` are of one run.

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
