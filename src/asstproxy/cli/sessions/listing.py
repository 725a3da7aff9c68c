"""`asst sessions list`: what was kept, one line each."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any

import msgspec

from ...core.codec import pretty
from ...store.filters import SessionFilter, filter_sessions
from ...store.store import Store
from ...store.transcript import Summary
from ..render.safe_text import clean_line

__all__ = ["line_of", "list_sessions", "print_json", "row_of"]


def list_sessions(limit: int | None, which: SessionFilter, *, as_json: bool) -> None:
    """Print the newest sessions that are meant."""
    store = Store()
    found = islice(filter_sessions(store, which), limit)
    if as_json:
        print_json(row_of(store, summary) for summary in found)
        return
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    count = 0
    for count, summary in enumerate(found, 1):  # noqa: B007 - it is used after the loop
        sys.stdout.write(line_of(summary)[: width or None] + "\n")
    if not count:
        nothing = which == SessionFilter()
        sys.stderr.write('No session yet. Start one: asst ask "…", or asst chat\n' if nothing else "No session fits.\n")


def line_of(summary: Summary) -> str:
    """When, id, state, exchanges, tokens, who, title."""
    tokens = summary.usage.input + summary.usage.output
    who = f"{summary.profile or summary.provider}/{summary.model}".strip("/")
    said = clean_line(f"{who}  {summary.title}")
    # A file may hold any id.
    one = clean_line(summary.id)
    return f"{when(summary.created)}  {one}  {summary.state:<10} {summary.exchange_count:>4} {tokens:>7}  {said}"


def when(at: str) -> str:
    """A moment, in the person's own time zone."""
    try:
        return datetime.fromisoformat(at).astimezone().strftime("%Y-%m-%d %H:%M")
    except (ValueError, OverflowError):
        return f"{clean_line(at[:16]):16}"


def row_of(store: Store, summary: Summary) -> dict[str, Any]:
    """A session as `--json` gives it."""
    return {**msgspec.to_builtins(summary), "path": str(store.path(summary.id))}


def print_json(rows: Iterable[Any]) -> None:
    """Print a JSON array row by row, however many there are."""
    for part in _array(rows):
        sys.stdout.write(part)


def _array(rows: Iterable[Any]) -> Iterator[str]:
    first = True
    for row in rows:
        text = pretty(row).decode().replace("\n", "\n  ")
        yield f"{'[' if first else ','}\n  {text}"
        first = False
    yield "[]\n" if first else "\n]\n"
