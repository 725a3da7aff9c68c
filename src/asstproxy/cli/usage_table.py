"""`asst usage`, and `/usage` in the chat: turns, tokens and cost, added up."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..core.codec import pretty
from ..core.errors import SessionError
from ..core.money import Cost
from ..providers.prices import PriceTable, steps
from ..store.filters import cutoff
from ..store.search_index import SearchIndex
from ..store.short_ids import short_ids
from ..store.store import Store
from ..store.transcript import ExchangeEntry
from ..store.usage import By, UsageRow
from ..text.safe_text import clean_line
from .exchange_cost import json_cost
from .render.table import Column, table_lines
from .sessions.search import show_progress
from .standard_streams import write_json

__all__ = ["Sum", "print_usage", "sums_of_exchanges", "total_of", "usage_lines"]

SHOWN_SESSIONS = 40
"""Rows of a table of sessions on a terminal."""


@dataclass(slots=True)
class Sum:
    """Turns, tokens and cost."""

    turns: int = 0
    read: int = 0
    written: int = 0
    cached: int = 0
    cost: Cost = field(default_factory=Cost)

    def __add__(self, other: Sum) -> Sum:
        return Sum(
            self.turns + other.turns,
            self.read + other.read,
            self.written + other.written,
            self.cached + other.cached,
            self.cost + other.cost,
        )


Sums = Mapping[str, Sum]
"""By model, day, profile or session."""


def print_usage(by: By, since: str, *, as_json: bool) -> None:
    """Print what the turns since then used. In a pipe: fields with tabs between them, no header.

    Raises:
        UsageError: `since` isn't a time.
        NotSetUpError: `prices.toml` has an error.
        AsstError: the search index can't be used.
    """
    prices, store = PriceTable(), Store()
    began = cutoff(since) if since else 0
    sums = SearchIndex(store).usage(by, began, steps(), lambda rows: _sums(rows, prices), show_progress)
    sums = _sorted(sums, by)
    if as_json:
        total = {name: value for name, value in _object(by, "", total_of(sums)).items() if name != by}
        write_json(pretty({"rows": [_object(by, key, one) for key, one in sums.items()], "total": total}) + b"\n")
    elif not sums:
        sys.stderr.write("No turn since then.\n" if since else 'No turn yet. Ask something: asst ask "…"\n')
    elif sys.stdout.isatty():
        shown = _with_titles(store, sums) if by == "session" else sums
        for line in usage_lines(by.capitalize(), shown, total_of(sums)):
            sys.stdout.write(f"{line}\n")
        more = len(sums) - len(shown)
        sys.stdout.write(f"{f'{more:,} older sessions are in the total. ' if more else ''}Prices are estimates.\n")
    else:
        for key, one in sums.items():
            usd = json_cost(one.cost)["usd"]
            fields = (key, one.turns, one.read, one.written, "" if usd is None else f"{usd:.6f}", one.cost.unknown)
            sys.stdout.write("\t".join(clean_line(str(value)) for value in fields) + "\n")


def usage_lines(heading: str, sums: Sums, total: Sum, width: int | None = None) -> Iterator[str]:
    """The table: a heading, a row for each, and the total."""
    columns = (
        Column(heading),
        Column("Turns", right=True),
        Column("Tokens in", right=True),
        Column("Tokens out", right=True),
        Column("Cost", right=True),
    )
    rows = [_cells(clean_line(key), one) for key, one in sums.items()]
    return table_lines(columns, [*rows, _cells("Total", total)], width)


def sums_of_exchanges(exchanges: Iterable[ExchangeEntry], prices: PriceTable) -> dict[str, Sum]:
    """What the turns of one session used, by model: for `/usage`."""
    sums: dict[str, Sum] = {}
    for one in exchanges:
        key = one.model or one.provider or "–"
        used = Sum(1, one.usage.input, one.usage.output, one.usage.cached, prices.cost_of(one))
        sums[key] = sums.get(key, Sum()) + used
    return sums


def total_of(sums: Sums) -> Sum:
    """All of them."""
    return sum(sums.values(), Sum())


def _sums(rows: Iterable[UsageRow], prices: PriceTable) -> dict[str, Sum]:
    sums: dict[str, Sum] = {}
    for row in rows:
        cost = (
            prices.cost(row.total, row.requests)
            if row.reported
            else prices.unreported(row.total.provider, row.requests)
        )
        used = Sum(row.turns, row.total.input, row.total.output, row.total.cached, cost)
        sums[row.key] = sums.get(row.key, Sum()) + used
    return sums


def _sorted(sums: Sums, by: By) -> dict[str, Sum]:
    """Days and sessions: the newest first; models and profiles: what cost most."""
    if by in ("day", "session"):
        return dict(sorted(sums.items(), reverse=True))
    return dict(sorted(sums.items(), key=lambda item: (-item[1].cost.usd, -item[1].read - item[1].written, item[0])))


def _with_titles(store: Store, sums: Sums) -> dict[str, Sum]:
    """The newest sessions, by their short ids and titles."""
    newest = list(sums)[:SHOWN_SESSIONS]
    ids = short_ids(store, newest)
    return {f"{ids.get(session, session)} · {_title(store, session)}": sums[session] for session in newest}


def _title(store: Store, session: str) -> str:
    try:
        return store.summary(session).title
    except SessionError:
        return "[damaged]"


def _cells(key: str, one: Sum) -> Sequence[str]:
    return (key, f"{one.turns:,}", f"{one.read:,}", f"{one.written:,}", str(one.cost) or "–")


def _object(by: str, key: str, one: Sum) -> dict[str, Any]:
    return {
        by: key,
        "turns": one.turns,
        "input_tokens": one.read,
        "output_tokens": one.written,
        "cached_tokens": one.cached,
        "cost": json_cost(one.cost),
    }
