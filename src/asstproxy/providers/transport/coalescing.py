"""Reading a steady stream several chunks at a time.

Reading four chunks at once costs hardly more than reading one. What costs is waking up for each, half a millisecond of a core.
Nobody sees the difference: frames on the screen are further apart.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import httpcore2
from anyio.abc import ByteStream

if TYPE_CHECKING:
    import httpx2

__all__ = ["coalesce_reads"]

FRAME = 1 / 25
"""Seconds between two reads of a steady stream. What was not read yet is not saved yet either: `kill -9` costs at most so much
of an answer."""
STEADY = 20
"""Reads in a row, each sooner than two frames after the one before, that make a stream steady. A short answer never is."""
BULK = 32 * 1024
"""Bytes in one read that no text of a model has: what comes is a file, which is read as fast as it comes."""


def coalesce_reads(transport: httpx2.AsyncHTTPTransport) -> None:
    """Let every connection of this transport wait for more before it reads from a steady stream."""
    # httpcore2's pools take a backend, but httpx2 doesn't pass one on.
    transport._pool._network_backend = _Backend()  # noqa: SLF001


class _Backend(httpcore2.AnyIOBackend):
    """What httpcore2 uses with asyncio, too; below its encryption, where all that has arrived comes in one read."""

    async def connect_tcp(self, *args: Any, **options: Any) -> httpcore2.AsyncNetworkStream:
        stream = await super().connect_tcp(*args, **options)
        stream._stream = _CoalescedStream(stream._stream)  # type: ignore[attr-defined] # noqa: SLF001
        return stream


class _CoalescedStream(ByteStream):
    """A connection that is read at most once a frame while what arrives is a steady stream."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._last = 0.0
        self._in_a_row = 0
        self._is_file = False

    async def receive(self, max_bytes: int = 65536) -> bytes:
        loop = asyncio.get_running_loop()
        is_steady = self._in_a_row >= STEADY and not self._is_file
        if is_steady and (wait := self._last + FRAME - loop.time()) > 0:
            await asyncio.sleep(wait)
        data = await self._stream.receive(max_bytes)
        now = loop.time()
        self._in_a_row = self._in_a_row + 1 if now - self._last < 2 * FRAME else 0
        self._is_file = self._is_file or len(data) >= BULK
        self._last = now
        return data

    async def send(self, item: bytes) -> None:
        self._in_a_row, self._is_file = 0, False  # another answer begins
        await self._stream.send(item)

    async def send_eof(self) -> None:
        await self._stream.send_eof()

    async def aclose(self) -> None:
        await self._stream.aclose()

    @property
    def extra_attributes(self) -> Mapping[Any, Callable[[], Any]]:
        return self._stream.extra_attributes
