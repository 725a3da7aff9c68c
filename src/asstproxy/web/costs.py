"""What the exchanges of a session cost."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..core.errors import NotSetUpError
from ..core.events import Record
from ..store.transcript import ExchangeEntry, TranscriptBuilder

if TYPE_CHECKING:
    from ..providers.prices import PriceTable

__all__ = ["ExchangeCosts"]


class ExchangeCosts:
    """Counts on from the last question: the page asks after every exchange, and a session may have thousands."""

    def __init__(self) -> None:
        self._builder = TranscriptBuilder()
        self._folded = 0
        self._known: list[str] = []  # of all exchanges but the last, which may still go on
        self._lock = threading.Lock()

    def of(self, records: Sequence[Record]) -> list[str]:
        """For each exchange of a session its cost in words (`$0.0002`, `price unknown`); empty where nothing is known.

        `records` are those of the session so far. It may take a while, and may be called in any thread.
        """
        from ..providers.prices import PriceTable  # late: the table takes a fifth of a second

        with self._lock:
            for record in records[self._folded :]:
                self._builder.feed(record)
            self._folded = len(records)
            try:
                table = PriceTable()
                found = [_cost(table, entry) for entry in self._builder.transcript.exchanges[len(self._known) :]]
            except NotSetUpError:  # `prices.toml` has an error; `asst usage` says which
                return []
            self._known += found[:-1]
            return [*self._known, *found[-1:]]


def _cost(table: PriceTable, entry: ExchangeEntry) -> str:
    return str(table.cost_of(entry)) if entry.usage.input or entry.usage.output else ""
