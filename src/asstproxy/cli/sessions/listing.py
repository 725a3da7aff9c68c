"""`asst sessions list`: one line for each saved session."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice
from typing import Any

import msgspec

from ...core.codec import pretty
from ...store.filters import SessionFilter, filter_sessions
from ...store.short_ids import short_ids
from ...store.store import Store
from ...store.transcript import Summary
from ...text.figures import local_time
from ...text.safe_text import clean_line
from ..standard_streams import write_json
from .session_cost import session_cost
from .table import SessionTable

__all__ = ["count_of", "line_of", "list_sessions", "print_json", "row_of", "table_of"]


def list_sessions(limit: int | None, which: SessionFilter, *, as_json: bool) -> None:
    """Print the latest sessions that pass the filter."""
    store = Store()
    found = filter_sessions(store, which)
    if as_json:
        print_json(row_of(store, summary) for summary in islice(found, limit))
        return
    count = _print_table(store, found, limit) if sys.stdout.isatty() else _print_lines(store, islice(found, limit))
    if not count:
        none_yet = which == SessionFilter()
        sys.stderr.write('No session yet. Start one: asst ask "…", or asst chat\n' if none_yet else "No match.\n")


def _print_lines(store: Store, found: Iterable[Summary]) -> int:
    count = 0
    for count, summary in enumerate(found, 1):  # noqa: B007 - used after the loop
        sys.stdout.write(f"{line_of(summary, store.state_of(summary))}\n")
    return count


def _print_table(store: Store, found: Iterable[Summary], limit: int | None) -> int:
    """For a person: a header, short ids, as wide as the terminal; below it, whether there are more than the limit."""
    are_more = False
    if limit is None:
        shown = found  # however many there are, only their ids are kept
    else:
        shown = list(islice(found, limit + 1))
        are_more = len(shown) > limit
        shown = shown[:limit]
    table = table_of(store, store.ids() if limit is None else [summary.id for summary in shown])
    count, first = 0, ""
    for count, summary in enumerate(shown, 1):  # noqa: B007 - used after the loop
        if not first:
            first = table.short(summary.id)
            sys.stdout.write(f"{table.header}\n")
        sys.stdout.write(f"{table.row(summary, store.state_of(summary))}\n")
    if count:
        more = " · more: --all" if are_more else ""
        hint = f" · show one: asst sessions show {first}"
        fits = len(count_of(count) + hint + more) <= shutil.get_terminal_size().columns
        sys.stdout.write(f"{count_of(count)}{hint if fits else ''}{more}\n")
    return count


def table_of(store: Store, sessions: Iterable[str]) -> SessionTable:
    """The table for these sessions, as wide as the terminal."""
    width = shutil.get_terminal_size().columns
    return SessionTable(width, short_ids(store, sessions), partial(session_cost, store))


def line_of(summary: Summary, state: str = "") -> str:
    """When, id, state, turns, tokens, profile and model, title. `state`: see `Store.state_of`."""
    tokens = summary.usage.input + summary.usage.output
    model = f"{summary.profile or summary.provider}/{summary.model}".strip("/")
    text = clean_line(f"{model}  {summary.title}")
    session = clean_line(summary.id)  # a file may hold any id
    return f"{local_time(summary.created)}  {session}  {state or summary.state:<11} {summary.exchange_count:>4} {tokens:>7}  {text}"


def count_of(sessions: int) -> str:
    """`1 session`, `2 sessions`."""
    return f"{sessions} session{'' if sessions == 1 else 's'}"


def row_of(store: Store, summary: Summary) -> dict[str, Any]:
    """A session as an object of `--json`."""
    return {**msgspec.to_builtins(summary), "state": store.state_of(summary), "path": str(store.path(summary.id))}


def print_json(rows: Iterable[Any]) -> None:
    """Print a JSON array row by row: memory stays small, however many there are."""
    for part in _array(rows):
        write_json(part.encode())


def _array(rows: Iterable[Any]) -> Iterator[str]:
    first = True
    for row in rows:
        text = pretty(row).decode().replace("\n", "\n  ")
        yield f"{'[' if first else ','}\n  {text}"
        first = False
    yield "[]\n" if first else "\n]\n"
