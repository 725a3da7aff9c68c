"""Reading an answer: the one loop from a transport's stream to our events, and its counterpart for a single reply."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator

from ..core.coalesce import merge_chunks
from ..core.errors import AssistantError
from ..core.events import ChunkReceived, Event
from .transport import JSON, Transport

__all__ = ["JobReader", "Stream", "StreamReader", "read_reply", "read_stream"]

Stream = AsyncGenerator[list[JSON]]
"""What `Transport.events` gives: the API's events, those that arrived together in one list."""
BROKE_OFF = "The answer broke off: the stream ended before its last event."


class StreamReader:
    """Folds the events of one answer, as the API sends them, into ours. It does no I/O.

    `done` is set by `feed` once the answer is whole. From then on the stream has `linger` seconds to end: something may follow
    (token counts), and only a stream that was read to its end leaves its connection to the next request.
    """

    linger = 0.25
    done = False

    def feed(self, event: JSON) -> Iterator[Event]:
        """Our events for one of the API's: pieces of text and notes.

        Raises:
            AssistantError: the API reports a failure.
        """
        raise NotImplementedError

    def end(self) -> Iterator[Event]:
        """Once the stream has ended: notes, then the event that closes the assistant's turn.

        Raises:
            AssistantError: the answer is a failure, or of no use.
        """
        raise NotImplementedError

    def reply(self, reply: JSON) -> Iterator[Event]:
        """The same for an answer that comes in a single reply; here, one that looks like an event of the stream.

        Raises:
            AssistantError: the answer is a failure, or of no use.
        """
        for event in self.feed(reply):
            if not isinstance(event, ChunkReceived):  # the closing event has the whole text
                yield event
        yield from self.end()


class JobReader(StreamReader):
    """A reader that also remembers where the stream stands: the id of the answer, and of the last event."""

    job_id: str | None = None
    position: int | str | None = None


async def read_stream(
    stream: Stream,
    reader: StreamReader,
    *,
    pull: Callable[[Stream], Awaitable[list[JSON]]] | None = None,
    reopen: Callable[[AssistantError], Awaitable[Stream | None]] | None = None,
) -> AsyncGenerator[Event]:
    """Our events for a stream, with the closing event last.

    `pull` waits for the next events of a stream. `reopen` is given the failure of a stream that broke: it returns another stream
    that goes on where the reader stands, or None, and then no closing event is given.

    Raises:
        AssistantError: the stream broke or ended before the answer was whole, or the API reports a failure.
    """
    following: Stream | None = stream
    while following is not None:
        broken, deadline = AssistantError("connection", BROKE_OFF, "Try again."), None
        async with contextlib.aclosing(following) as events:
            while True:
                try:
                    if deadline is None:
                        together = await (pull or anext)(events)
                    else:
                        async with asyncio.timeout_at(deadline):
                            together = await anext(events)
                except (StopAsyncIteration, TimeoutError):
                    break
                except AssistantError as error:
                    broken = error
                    break
                # What this raises was reported by the API: the connection is not broken.
                for event in merge_chunks(event for one in together for event in reader.feed(one)):
                    yield event
                if reader.done and deadline is None:
                    deadline = asyncio.get_running_loop().time() + reader.linger
        if reader.done:
            for event in reader.end():
                yield event
            return
        if reopen is None:
            raise broken
        following = await reopen(broken)


async def read_reply(transport: Transport, path: str, body: JSON, reader: StreamReader) -> AsyncGenerator[Event]:
    """Our events for an answer in a single reply.

    Raises:
        AssistantError: the request failed, or the answer is a failure or of no use.
    """
    for event in reader.reply(await transport.call("POST", path, body)):
        yield event
