"""What the exchanges of a session cost."""

from __future__ import annotations

from collections.abc import Iterable

from ..core.errors import NotSetUpError
from ..core.events import Record
from ..store.transcript import TranscriptBuilder

__all__ = ["exchange_costs"]


def exchange_costs(records: Iterable[Record]) -> list[str]:
    """For each exchange its cost in words (`$0.0002`, `price unknown`); empty where no tokens were reported."""
    from ..providers.prices import PriceTable  # late: the table takes a fifth of a second

    builder = TranscriptBuilder()
    for record in records:
        builder.feed(record)
    try:
        table = PriceTable()
        return [
            str(table.cost_of(entry)) if entry.usage.input or entry.usage.output else ""
            for entry in builder.transcript.exchanges
        ]
    except NotSetUpError:  # `prices.toml` has an error; `asst usage` says which
        return []
