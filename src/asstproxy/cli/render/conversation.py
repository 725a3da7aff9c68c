"""A finished conversation, as it looked in the chat."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console

from asstproxy.core.events import ChunkReceived, Record

from .layout import Layout

__all__ = ["show"]


def show(records: Iterable[Record], console: Console) -> None:
    """Print the records of a session: messages, answers, System lines, how each exchange settled."""
    drawing = Layout(echo=True)
    for record in records:
        drawing.fold(record)
        if not isinstance(record.event, ChunkReceived):  # an answer is printed whole, not piece by piece
            _print(drawing, console)
    drawing.close()
    _print(drawing, console)


def _print(drawing: Layout, console: Console) -> None:
    for piece in drawing.take():
        console.print(piece)
