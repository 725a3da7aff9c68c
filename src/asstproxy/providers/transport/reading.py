"""Reading the body of a reply that our own HTTP client has received, or that of an SDK."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator

from ...core.errors import AssistantError
from . import JSON, StreamedReply, WholeReply
from .body import BodyReader
from .decoder import EventDecoder
from .sse import TooLargeError

__all__ = ["MAX_EVENT", "Body", "too_large"]

MAX_EVENT = 64 * 1024 * 1024
"""Bytes, decompressed, of one event or of a whole reply: several images in base64. More would take gigabytes to decode."""


class Body:
    """The body of one reply from `where`, in the pieces in which it arrives.

    `labelled`: its `Content-Type` says that it is a stream. `secrets` are removed from what the server says of a failure.
    """

    def __init__(
        self, pieces: AsyncIterator[bytes], *, content_type: str, where: str, secrets: tuple[str, ...] = ()
    ) -> None:
        self._pieces, self._where, self._secrets = pieces, where, secrets
        self._labelled = content_type.partition(";")[0].strip().lower() == "text/event-stream"

    async def events(self) -> AsyncGenerator[list[JSON]]:
        """The objects in it: those of its events, or the one that it is.

        Raises:
            AssistantError: it is neither, or a part of it can't be read.
            TooLargeError: an event is larger than `MAX_EVENT`.
        """
        reader, decoder = BodyReader(MAX_EVENT, labelled=self._labelled), EventDecoder(self._where, self._secrets)
        broken: Exception | None = None
        while True:
            try:
                piece = await self._next(decoder.finished_at)
            except Exception as error:  # noqa: BLE001 - each HTTP client has its own
                broken = error  # an event whose blank line is missing arrived all the same
                break
            if piece is None:
                break
            for together in decoder.decode(reader.feed(piece)):
                yield together
        for together in decoder.decode(reader.end(), cut=True):
            yield together
        if broken is not None:
            if decoder.finished_at is None:  # after `[DONE]`, nothing is missing
                raise broken
        elif reader.kind in ("json", "words"):
            yield decoder.whole(reader.body)

    async def _next(self, until: float | None) -> bytes | None:
        """The next piece; None at the end, or when it has not ended by then."""
        try:
            if until is None:
                return await anext(self._pieces)
            async with asyncio.timeout_at(until):
                return await anext(self._pieces)
        except (StopAsyncIteration, TimeoutError):
            return None

    async def object(self, *, may_be_empty: bool = False) -> JSON:
        """The object that it is; a `StreamedReply` if it is a stream. With `may_be_empty`, nothing is an empty object.

        Raises:
            AssistantError: it is neither.
            TooLargeError: it is larger than `MAX_EVENT`.
        """
        arrived, size = list[bytes](), 0
        async for piece in self._pieces:
            arrived.append(piece)
            if (size := size + len(piece)) > MAX_EVENT:
                raise TooLargeError
        data = b"".join(arrived)
        if may_be_empty and not data.strip():
            return {}
        reader = BodyReader(MAX_EVENT, labelled=self._labelled)
        events = [*reader.feed(data), *reader.end()]
        if reader.kind == "events":
            decoded = EventDecoder(self._where, self._secrets).decode(events, cut=True)
            return StreamedReply([event for together in decoded for event in together])
        objects = EventDecoder(self._where, self._secrets).whole(data, asked="a JSON object")
        return objects[0] if isinstance(objects[0], WholeReply) else StreamedReply(objects)

    async def aclose(self) -> None:
        """Read no more of it."""
        if isinstance(self._pieces, AsyncGenerator):
            with contextlib.suppress(RuntimeError):  # it is being read
                await self._pieces.aclose()


def too_large(where: str) -> AssistantError:
    """The error for a `TooLargeError`."""
    said = f"{where} sent more than {MAX_EVENT // 1024**2} MB in one piece."
    return AssistantError("protocol", said, "Check base_url: is it the address of this API?")
