"""A finished conversation, printed as it looked in the chat."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console

from ...core.events import ChunkReceived, Record
from .detail import Detail
from .layout import Layout

__all__ = ["print_conversation"]


def print_conversation(records: Iterable[Record], console: Console, detail: Detail | None = None) -> None:
    """Print the records of a session: messages, answers, System lines, how each exchange ended."""
    layout = Layout(echo=True, detail=detail)
    for record in records:
        layout.fold(record)
        if not isinstance(record.event, ChunkReceived):  # an answer is printed whole, not in chunks
            _print(layout, console)
    layout.close()
    _print(layout, console)


def _print(layout: Layout, console: Console) -> None:
    for part in layout.take():
        console.print(part, crop=False)  # lines of code are longer: the terminal wraps them
