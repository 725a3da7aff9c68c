"""Where in a body a fault strikes.

Events are the pieces of a body, counted from 0; a JSON answer is a single one. "At event N" means that N events
arrived whole. Instead of a number, the name of an event's type means the first event of that type. A cut or
a stall at a position that the body never reaches strikes at its end (such a stall is a server that does not hang up).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from . import sse

Pieces = AsyncIterator[bytes]
Position = int | str


def is_at(event: Position, index: int, piece: bytes) -> bool:
    if isinstance(event, int):
        return index == event
    if piece.startswith(f"event: {event}\n".encode()):
        return True
    data = sse.payload(piece)
    return isinstance(data, dict) and event in (data.get("type"), data.get("event_type"))


async def before(pieces: Pieces, event: Position | None, byte: int | None) -> Pieces:
    """What precedes a position, without waiting for what follows it."""
    index, left = 0, byte
    if event == 0 or byte == 0:
        return
    async for piece in pieces:
        if isinstance(event, str) and is_at(event, index, piece):
            return
        if left is not None and len(piece) >= left:
            yield piece[:left]
            return
        yield piece
        index, left = index + 1, None if left is None else left - len(piece)
        if index == event:
            return


async def rewrite(pieces: Pieces, event: Position, change: Callable[[bytes], list[bytes]]) -> Pieces:
    """Change the first piece at a position."""
    index, done = 0, False
    async for piece in pieces:
        if not done and is_at(event, index, piece):
            done = True
            for changed in change(piece):
                yield changed
        else:
            yield piece
        index += 1
