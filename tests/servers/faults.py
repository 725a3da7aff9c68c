"""Faults, as data: what goes wrong with an answer, and at which event or byte (see `positions.py`).

Every fault also takes `first`, `skip` and `on`, which say what requests it hits (see `plan.py`).
"""

from __future__ import annotations

import asyncio
import math
import zlib
from dataclasses import dataclass, replace
from typing import Literal

from . import sse
from .framing import Framings, reframe
from .plan import Fault
from .positions import Pieces, Position, before, is_at, rewrite
from .vendors import Shape, Vendor
from .wire import ApiError, How, Reply, Severed


@dataclass(frozen=True)
class Delay(Fault):
    """Seconds of silence before the status line, or in the middle: before an event."""

    seconds: float
    event: Position | None = None

    def change(self, reply: Reply, vendor: Vendor) -> Reply:
        if self.event is None:
            return replace(reply, hold=reply.hold + self.seconds)
        return reply.through(self._pause, same_length=True)

    async def _pause(self, pieces: Pieces) -> Pieces:
        index, done = 0, False
        async for piece in pieces:
            if not done and is_at(self.event if self.event is not None else 0, index, piece):
                done = True
                await asyncio.sleep(self.seconds)
            yield piece
            index += 1


@dataclass(frozen=True)
class Stall(Fault):
    """Silence for ever: from the start (without a position), or from an event or byte on."""

    event: Position | None = None
    byte: int | None = None

    def change(self, reply: Reply, vendor: Vendor) -> Reply:
        if self.event is None and self.byte is None:
            return replace(reply, hold=math.inf)
        return reply.through(self._stall, same_length=True)

    @property
    def level(self) -> int:
        """A byte is counted as it goes out, an event as the server made it."""
        return 0 if self.byte is None else 4

    async def _stall(self, pieces: Pieces) -> Pieces:
        async for piece in before(pieces, self.event, self.byte):
            yield piece
        await asyncio.sleep(math.inf)


@dataclass(frozen=True)
class Cut(Fault):
    """The answer breaks off; without a position, instead of a status line.

    `eof`: a FIN, which leaves the chunked body unfinished. `reset`: a TCP reset. `end`: the body ends as it should,
    only too early, so that HTTP has nothing to complain of.
    """

    event: Position | None = None
    byte: int | None = None
    how: How | Literal["end"] = "eof"

    def change(self, reply: Reply, vendor: Vendor) -> Reply:
        if self.event is None and self.byte is None:
            return replace(reply, sever="eof" if self.how == "end" else self.how)
        return reply.through(self._cut, same_length=self.how != "end")

    @property
    def level(self) -> int:
        """A byte is counted as it goes out, an event as the server made it."""
        return 0 if self.byte is None else 4

    async def _cut(self, pieces: Pieces) -> Pieces:
        async for piece in before(pieces, self.event, self.byte):
            yield piece
        if self.how != "end":
            raise Severed(self.how)


@dataclass(frozen=True)
class Vanish(Fault):
    """The answer is whole, but the server then closes the kept-alive connection without a word."""

    def change(self, reply: Reply, vendor: Vendor) -> Reply:
        return replace(reply, vanish=True)


@dataclass(frozen=True)
class Duplicate(Fault):
    """An event arrives twice."""

    event: Position

    def change(self, reply: Reply, vendor: Vendor) -> Reply:
        return reply.through(lambda pieces: rewrite(pieces, self.event, lambda piece: [piece, piece]))


@dataclass(frozen=True)
class Drop(Fault):
    """An event never arrives."""

    event: Position

    def change(self, reply: Reply, vendor: Vendor) -> Reply:
        return reply.through(lambda pieces: rewrite(pieces, self.event, lambda _: []))


@dataclass(frozen=True)
class Swap(Fault):
    """An event arrives after its successor."""

    event: Position

    def change(self, reply: Reply, vendor: Vendor) -> Reply:
        return reply.through(self._swap)

    async def _swap(self, pieces: Pieces) -> Pieces:
        index, held, done = 0, b"", False
        async for piece in pieces:
            if not done and is_at(self.event, index, piece):
                held, done = piece, True
            else:
                yield piece
                if held:
                    yield held
                    held = b""
            index += 1
        if held:
            yield held


@dataclass(frozen=True)
class BrokenUtf8(Fault):
    """Bytes that are no UTF-8, inside the first JSON string of an event."""

    event: Position
    junk: bytes = b"\xc3\x28\xff"

    def change(self, reply: Reply, vendor: Vendor) -> Reply:
        spoil = lambda piece: [piece.replace(b'":"', b'":"' + self.junk, 1)]  # noqa: E731
        return reply.through(lambda pieces: rewrite(pieces, self.event, spoil))


@dataclass(frozen=True)
class BrokenJson(Fault):
    """The second half of an event's JSON is missing; its framing is intact."""

    event: Position

    def change(self, reply: Reply, vendor: Vendor) -> Reply:
        def spoil(piece: bytes) -> list[bytes]:
            body = piece.rstrip(b"\r\n")
            start = max(0, body.find(b"{"))
            return [body[: (start + len(body)) // 2] + piece[len(body) :]]

        return reply.through(lambda pieces: rewrite(pieces, self.event, spoil))


@dataclass(frozen=True)
class Insert(Fault):
    """Raw bytes before an event."""

    event: Position
    data: bytes

    def change(self, reply: Reply, vendor: Vendor) -> Reply:
        return reply.through(lambda pieces: rewrite(pieces, self.event, lambda piece: [self.data, piece]))


@dataclass(frozen=True)
class UnknownEvent(Fault):
    """An event of a type from the future, before an event."""

    event: Position

    def change(self, reply: Reply, vendor: Vendor) -> Reply:
        data = vendor.unknown_event()
        piece = sse.frame(data, data.get(vendor.type_key or ""))
        return Insert(self.event, piece).change(reply, vendor)


@dataclass(frozen=True)
class ErrorEvent(Fault):
    """An error in the middle of the stream, in either shape; the stream then ends, or goes on."""

    event: Position
    shape: Shape = "flat"
    status: int = 500
    code: str | None = None
    message: str | None = None
    ends: bool = True

    def change(self, reply: Reply, vendor: Vendor) -> Reply:
        data = vendor.error_event(ApiError(self.status, self.message, code=self.code), self.shape)
        piece = sse.frame(data, "error" if vendor.type_key else None)
        if not self.ends:
            return Insert(self.event, piece).change(reply, vendor)

        async def fail(pieces: Pieces) -> Pieces:
            async for ok in before(pieces, self.event, None):
                yield ok
            yield piece

        return reply.through(fail)


@dataclass(frozen=True)
class Framing(Fault):
    """The same events in another SSE dress, legal or not; see `framing.py`."""

    kind: Framings

    @property
    def level(self) -> int:
        return 1

    def change(self, reply: Reply, vendor: Vendor) -> Reply:
        return reply.through(lambda pieces: reframe(pieces, self.kind)) if reply.streams else reply


@dataclass(frozen=True)
class Gzip(Fault):
    """Content-Encoding: gzip, flushed after every event."""

    @property
    def level(self) -> int:
        return 2

    def change(self, reply: Reply, vendor: Vendor) -> Reply:
        return replace(reply, headers={**reply.headers, "content-encoding": "gzip"}).through(self._zip)

    async def _zip(self, pieces: Pieces) -> Pieces:
        packer = zlib.compressobj(wbits=31)
        async for piece in pieces:
            yield packer.compress(piece) + packer.flush(zlib.Z_SYNC_FLUSH)
        yield packer.flush()


@dataclass(frozen=True)
class Split(Fault):
    """The same bytes in pieces of k, so that characters and frames are torn apart anywhere."""

    size: int
    pause: float = 0.0

    @property
    def level(self) -> int:
        return 3

    def change(self, reply: Reply, vendor: Vendor) -> Reply:
        return reply.through(self._split, same_length=True)

    async def _split(self, pieces: Pieces) -> Pieces:
        async for piece in pieces:
            # No remainder waits for the next event, or the client would be late by one.
            for start in range(0, len(piece), self.size):
                yield piece[start : start + self.size]
                await asyncio.sleep(self.pause)
