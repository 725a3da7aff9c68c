"""Reading an answer: the one loop from a transport's stream to our events, and its counterpart for a single reply."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator

import msgspec

from ..core.coalesce import TEXT_EVENTS, merge_chunks
from ..core.codec import repair_json, repair_surrogates
from ..core.errors import AssistantError
from ..core.events import ChunkReceived, Event, Notice, Reasoning, Skipped
from ..core.history import AssistantMessage
from .fields import get_text
from .transport import CUT, JSON, SKIPPED, StreamedReply, Transport, WholeReply

__all__ = ["JobReader", "Stream", "StreamReader", "read_reply", "read_stream", "reply_events"]

Stream = AsyncGenerator[list[JSON]]
"""What `Transport.events` gives: the API's events, those that arrived together in one list."""
NOT_ENDED = "The server said that its answer ends, but left the stream open. The answer may not be whole."
CUT_OFF = "The connection broke just after the server had said that its answer ends. The answer may not be whole."
BROKE_OFF = "The answer broke off: the stream ended before its last event."


class StreamReader:
    """Folds the events of one answer, as the API sends them, into ours. It does no I/O.

    `done` is set by `feed` once the answer is whole. From then on the stream has `linger` seconds to end: something may follow
    (token counts), and only a stream that was read to its end leaves its connection to the next request.

    `goes_on`: the API has no last event, only a reason to end, which some servers send more than once and go on. Such a stream
    is read to its end; each event takes `done` back, or sets it again, and `linger` is the silence after which that is given up.
    Where there is a last event, too, it sets `goes_on` to False.
    """

    linger = 0.25
    done = False
    goes_on = False
    continued = False
    """The answer went on after a reason to end, so another such reason does not prove that it has ended."""
    unfinished = False
    """What `reply` read is not the answer yet: the server works on it."""
    pauses = False
    """The server may pause a turn, and continue it when it is sent what it said so far; see `resume`."""
    may_pause = True
    """Set to False by the base when the server has paused this turn often enough: another pause ends it."""

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

    def resume(self) -> AssistantMessage | None:
        """What a paused turn consists of so far; the rest of it is then read by this reader, too. None: the turn is whole.

        `end` gives no closing event for a paused turn.
        """
        return None

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
    """A reader that also remembers where the stream stands: the id of the answer, and of the last event.

    `refused`: sending a job what it waits for has failed in this way. It may have it all the same; if it still waits, `reply`
    raises this.
    """

    job_id: str | None = None
    position: int | str | None = None
    refused: AssistantError | None = None

    def missing(self, reply: JSON) -> str:  # noqa: ARG002 - for those that override it
        """The path of what a finished job's reply lacks; what is there becomes its `rest`. Empty: it lacks nothing."""
        return ""


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
    joiner = SurrogateJoiner()
    while following is not None:
        broken, deadline, doubt = AssistantError("connection", BROKE_OFF, "Try again."), None, ""
        async with contextlib.aclosing(following) as events:
            while True:
                try:
                    if deadline is None:
                        together = await (pull or anext)(events)
                    else:
                        async with asyncio.timeout_at(deadline):
                            together = await anext(events)
                except StopAsyncIteration:
                    break
                except TimeoutError:
                    doubt = NOT_ENDED
                    break
                except AssistantError as error:
                    broken = error
                    reader.done = reader.done and not reader.continued
                    doubt = CUT_OFF
                    break
                if together and isinstance(together[0], WholeReply):
                    for event in _guarded(_replied(reader, together[0])):
                        yield joiner.finish(event)
                    if not reader.unfinished:
                        return
                    continue
                # What this raises was reported by the API: the connection is not broken.
                for event in merge_chunks(_feed(reader, together)):
                    for joined in joiner.feed(event):
                        yield joined
                until = asyncio.get_running_loop().time() + reader.linger
                if not reader.done:
                    deadline = None
                elif deadline is None or reader.goes_on or until < deadline:
                    deadline = until
        if reader.done:
            for event in joiner.rest():
                yield event
            if doubt and reader.goes_on:
                yield Notice(doubt)
            for event in _guarded(reader.end()):
                yield joiner.finish(event)
            return
        if reopen is None:
            for event in joiner.rest():
                yield event
            raise broken
        following = await reopen(broken)


def _feed(reader: StreamReader, together: list[JSON]) -> Iterator[Event]:
    for one in together:
        if one.get("type") == SKIPPED:
            yield Skipped(get_text(one, "data"))
        elif one.get("type") == CUT:  # which may have been more of the answer
            reader.done = reader.done and not reader.goes_on
        else:
            yield from _guarded(reader.feed(one))


def _replied(reader: StreamReader, reply: JSON) -> Iterator[Event]:
    from .transport.failures import refused_reply

    if (refused := refused_reply(reply)) is not None:
        raise refused
    yield from reader.reply(reply)


def _guarded(events: Iterator[Event]) -> Iterator[Event]:
    try:
        yield from events
    except RecursionError:
        raise AssistantError("protocol", "The server sent JSON that is nested too deeply.", "Check base_url.") from None


class SurrogateJoiner:
    """Joins the halves of a surrogate pair that a server has sent in two pieces of a text."""

    def __init__(self) -> None:
        self._held: ChunkReceived | Reasoning | None = None  # a high surrogate at the end of a piece

    def feed(self, event: Event) -> Iterator[Event]:
        """The event, with the half that was held back in front; a half at its end is held back."""
        if not isinstance(event, TEXT_EVENTS):
            if self._held is not None and not isinstance(event, Skipped):
                yield from self.rest()
            yield event
            return
        if self._held is not None:
            held, self._held = self._held, None
            if type(held) is type(event):
                event = msgspec.structs.replace(event, text=held.text + event.text)
            else:
                yield _repaired(held)
        if event.text and "\ud800" <= event.text[-1] <= "\udbff":
            self._held = msgspec.structs.replace(event, text=event.text[-1])
            event = msgspec.structs.replace(event, text=event.text[:-1])
        if event.text:
            yield _repaired(event)

    def rest(self) -> Iterator[Event]:
        """What was held back, once nothing can follow."""
        if self._held is not None:
            yield _repaired(self._held)
            self._held = None

    @staticmethod
    def finish(event: Event) -> Event:
        """An event of a finished answer, in which every pair is joined."""
        if isinstance(event, TEXT_EVENTS):
            return _repaired(event)
        try:
            msgspec.json.encode(event)
        except UnicodeEncodeError:
            return msgspec.convert(repair_json(msgspec.to_builtins(event)), type(event))
        except (OverflowError, RecursionError):
            pass  # not for us to judge: the driver checks what it is given
        return event


def _repaired(event: ChunkReceived | Reasoning) -> ChunkReceived | Reasoning:
    text = repair_surrogates(event.text)
    return event if text is event.text else msgspec.structs.replace(event, text=text)


async def read_reply(transport: Transport, path: str, body: JSON, reader: StreamReader) -> AsyncGenerator[Event]:
    """Our events for an answer in a single reply.

    Raises:
        AssistantError: the request failed, or the answer is a failure or of no use.
    """
    reply = await transport.call("POST", path, body)
    if isinstance(reply, StreamedReply):
        async with contextlib.aclosing(read_stream(_played(reply.events), reader)) as events:
            async for event in events:
                yield event
        return
    for event in reply_events(reply, reader):
        yield event


def reply_events(reply: JSON, reader: StreamReader) -> Iterator[Event]:
    """Our events for a whole reply.

    Raises:
        AssistantError: the answer is a failure, or of no use.
    """
    for event in _guarded(_replied(reader, reply)):
        yield SurrogateJoiner.finish(event)


async def _played(events: list[JSON]) -> Stream:
    if events:
        yield events
