"""`asst batch status` and `cancel` of a batch in a database."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ...batches.postgres.address import address_of
from ...batches.postgres.collect import Counts, batch_of, cancel, counts, names
from ...batches.postgres.place import known_place
from ...batches.postgres.tables import connected
from ...core.errors import UsageError
from ..standard_streams import write_json
from .snapshot import snapshot_of
from .views import line_of

if TYPE_CHECKING:
    from psycopg import AsyncConnection

__all__ = ["cancel_queued", "show_queued"]


async def show_queued(queue: str, out: str | None, *, as_json: bool) -> int:
    """Print how far a batch is: that of an output, or of a name in the database; without one, all of them. The exit code: 0.

    Raises:
        UsageError: no such batch.
        AsstError: the database can't be used.
    """
    async with connected(address_of(queue)) as connection:
        found = await names(connection) if out is None else [await _named(connection, out)]
        for batch, name in found:
            state = await counts(connection, batch)
            if as_json:
                shown = {"batch": name, **msgspec.to_builtins(state), "state": _state(state)}
                write_json(msgspec.json.encode(shown) + b"\n")
            else:
                sys.stdout.write(f"{name}: {_line(state)}\n")
    return 0


async def cancel_queued(queue: str, out: str) -> int:
    """Ask nothing more of a batch; what is in flight is finished. Returns the exit code: 0.

    Raises:
        UsageError: no such batch.
        AsstError: the database can't be used.
    """
    async with connected(address_of(queue)) as connection:
        batch, name = await _named(connection, out)
        await cancel(connection, batch)
        sys.stdout.write(f"{name}: {_line(await counts(connection, batch))}\n")
    return 0


async def _named(connection: AsyncConnection[Any], out: str) -> tuple[int, str]:
    name = known_place(Path(out)) or out
    batch = await batch_of(connection, name)
    if batch is None:
        raise UsageError(
            f"The database has no batch {name}.",
            "Name the file that was given to -o, or list them: asst batch status --queue …",
        )
    return batch, name


def _state(state: Counts) -> str:
    return "ended" if state.is_over else "running" if state.state == "open" and state.workers else state.state


def _line(state: Counts) -> str:
    parts = [line_of(snapshot_of(state))]
    if state.maybe_twice:
        parts.append(f"{state.maybe_twice:,} may be charged twice")
    words = {
        "ended": "ended",
        "running": f"{state.workers} worker{'s' * (state.workers != 1)}",
        "open": "no worker runs",
    }
    parts.append(words.get(_state(state)) or f"{state.state}{f': {state.stop}' if state.stop else ''}")
    return " · ".join(parts)
