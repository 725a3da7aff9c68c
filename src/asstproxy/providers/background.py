"""Answers that a server makes in the background: followed as a stream or polled, found again after a crash, and stopped.

Every heartbeat carries a token by which the answer is found again. A stream that broke is opened again after the last event that
was read; where that does not help, the answer is polled. When nobody waits any longer, the server is asked to stop: otherwise it
would work, and be paid, for nobody. That takes two seconds at most, whatever the server does. The reply that names the job may
still be on its way then; it is waited for within the same two seconds.

https://developers.openai.com/api/docs/guides/background, https://ai.google.dev/gemini-api/docs/interactions
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from typing import TypeVar
from urllib.parse import quote

from ..core.errors import AssistantError, may_pass
from ..core.events import (
    ActionRequired,
    AssistantMessageRetrieved,
    ChunkReceived,
    Event,
    Heartbeat,
    MessageIncomplete,
    Notice,
)
from .fields import get_object, get_text
from .stream import JobReader, Stream, StreamReader, read_stream
from .transport import JSON, Transport

__all__ = ["BackgroundJob", "is_unfinished"]

TRIES = 3
"""How often in a row a stream is opened again after a failure that may pass; then the answer is polled."""
STOP_WITHIN = 2.0
"""Seconds for asking the server to stop."""
LONGEST = 60.0
"""Seconds that a server may make us wait between two polls, and the longest pause after polls that failed."""
UNSURE = ("connection", "timeout", "protocol", "invalid_request", "not_found")
"""Failures of sending a job what it waits for, after which it may have it all the same: this time, or since an earlier one."""
UNREACHABLE = "The provider keeps working, but can't be reached now. asst keeps trying until it answers. ({error})"
TOKEN_EVERY = 5.0
"""Seconds of streaming after which a heartbeat brings the token up to date."""
MAX_DOUBLINGS = 16
"""Of the pause after a poll that failed: beyond `LONGEST` for every sensible pause, and far from an overflow."""
UNFINISHED = ("queued", "in_progress", "cancelling", "pending", "running", "processing")
"""What the APIs say, and other servers' words for it."""
RUNNING = {"status": "in_progress"}
T = TypeVar("T")


def is_unfinished(reply: JSON) -> bool:
    """Whether the server is still working on this answer."""
    return get_text(reply, "status").lower() in UNFINISHED


class ServerJob:
    """What the server works at: named by its first reply, stopped when nobody waits for it any longer.

    `done`: there is nothing left to stop. `stop` asks the server to.
    """

    def __init__(self, stop: Callable[[], Awaitable[object]]) -> None:
        self.id: str | None = None
        self.done = False
        self._stop = stop
        self._stop_by: float | None = None

    async def first_reply(self, reply: Awaitable[T], id_of: Callable[[T], str | None]) -> T:
        """Wait for the first reply, and take the id from it; when cancelled, wait a little longer for the sake of the id."""
        task = asyncio.ensure_future(reply)
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            await asyncio.wait({task}, timeout=self._deadline() - asyncio.get_running_loop().time())
            raise
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task})
            if not task.cancelled() and task.exception() is None:
                self.id = id_of(task.result())
        return task.result()

    @contextlib.asynccontextmanager
    async def cancel_on_exit(self) -> AsyncIterator[None]:
        """Stop it when this block is left before it is done."""
        try:
            yield
        except (asyncio.CancelledError, GeneratorExit, AssistantError):
            if self.id is not None and not self.done:
                with contextlib.suppress(AssistantError, TimeoutError):  # we leave, whatever the server makes of it
                    async with asyncio.timeout_at(self._deadline()):
                        await self._stop()
            raise

    def _deadline(self) -> float:
        if self._stop_by is None:
            self._stop_by = asyncio.get_running_loop().time() + STOP_WITHIN
        return self._stop_by


class BackgroundJob(StreamReader):
    """One answer at `path`. `reader` reads it; `after` is the query parameter that opens its stream after a position.

    `poll` is in seconds. Heartbeats carry a token in `resume`: {"id": …, "position": …, "text": characters read so far}.
    `waiting` is the id of a job that was begun before, and waits for the body that is sent to it.
    """

    def __init__(
        self, transport: Transport, path: str, reader: JobReader, *, after: str = "", poll: float, waiting: str = ""
    ) -> None:
        self.linger = reader.linger
        self._job = ServerJob(lambda: transport.call("POST", f"{self._where}/cancel", {}))
        self._transport, self._path, self._reader, self._after, self._pause = transport, path, reader, after, poll
        self._job.id = waiting or None
        self._waiting = bool(waiting)
        self._read, self._in_pieces = 0, False
        self._failures, self._broke_at = 0, reader.position
        self._token_at: float | None = None

    async def polled(self, body: JSON) -> AsyncGenerator[Event]:
        """Create it, and ask from time to time whether it is there."""
        async with self._job.cancel_on_exit():
            reply = await self._job.first_reply(self._transport.call("POST", self._path, body), _id_of)
            async with contextlib.aclosing(self._poll(reply)) as events:
                async for event in events:
                    yield event

    def streamed(self, body: JSON, path: str = "") -> AsyncGenerator[Event]:
        """Create it, or send it to `path` if it waits for that, and follow its stream; what is not streamed is polled."""
        self._in_pieces = bool(body.get("stream"))
        return self._follow(self._transport.events("POST", path or self._path, body))

    async def found(
        self, number: str, position: int | str | None = None, text: int = 0, *, in_pieces: bool | None = None
    ) -> AsyncGenerator[Event]:
        """Continue with what another process left; its stream is followed if there is a position in it.

        Its state is checked first: an answer that failed meanwhile is reported as such before any of its text. `in_pieces`: the
        text is published in pieces, of which that process has read `text` characters.
        """
        self._job.id = self._reader.job_id = number
        self._reader.position = self._broke_at = position
        self._read, self._token_at = text, 0.0
        self._in_pieces = position is not None if in_pieces is None else in_pieces
        looking = self._poll(RUNNING, wait=False, once=position is not None)
        async with self._job.cancel_on_exit(), contextlib.aclosing(looking) as events:
            async for event in events:
                yield event
        if not self.done:
            async with contextlib.aclosing(self._follow(self._rest())) as events:
                async for event in events:
                    yield event

    # ---- streaming -----------------------------------------------------------------------------------------------------

    async def _follow(self, stream: Stream) -> AsyncGenerator[Event]:
        async with self._job.cancel_on_exit():
            reading = read_stream(stream, self, pull=self._pull, reopen=self._reopen_or_poll)
            async with contextlib.aclosing(reading) as events:
                async for event in events:
                    yield event
            if not self.done:
                async with contextlib.aclosing(self._poll(RUNNING, wait=False)) as events:
                    async for event in events:
                        yield event

    async def _pull(self, stream: Stream) -> list[JSON]:
        if self._job.id is not None:
            return await anext(stream)
        return await self._job.first_reply(anext(stream), lambda events: next(filter(None, map(_id_of, events)), None))

    async def reopen(self, broken: AssistantError) -> Stream:
        """The stream once more, from the event after the last one that was read.

        Raises:
            AssistantError: `broken`, when that cannot help; it is not retryable once the server has begun its answer.
        """
        self._job.id = self._job.id or self._reader.job_id
        if self._job.id is None:
            raise broken
        # "protocol" here: the server does not stream this answer, and will not.
        if self._reader.position is None or broken.kind == "protocol" or not may_pass(broken.kind):
            raise _final(broken)
        self._failures = self._failures + 1 if self._reader.position == self._broke_at else 1
        self._broke_at = self._reader.position
        if self._failures > TRIES:
            raise _final(broken)
        await asyncio.sleep(self._pause / 4 * 2 ** (self._failures - 1))
        return self._rest()

    async def _reopen_or_poll(self, broken: AssistantError) -> Stream | None:
        if self._waiting and self._reader.job_id is None:
            if broken.retryable or broken.kind not in UNSURE:
                self._job.done = True  # refused: it waits as before
                raise broken
            self._reader.refused = broken
        try:
            return await self.reopen(broken)
        except AssistantError:
            if self._job.id is None:
                raise  # it may have begun, but its id is unknown
            return None  # too old to be streamed, for example

    def _rest(self) -> Stream:
        position = quote(str(self._reader.position), safe="")
        return self._transport.events("GET", f"{self._where}?stream=true&{self._after}={position}")

    def feed(self, event: JSON) -> Iterator[Event]:
        """See `StreamReader`; heartbeats bring the token up to date."""
        for ours in self._reader.feed(event):
            if isinstance(ours, ChunkReceived) and ours.phase == "answer":
                self._read += len(ours.text)
            yield ours
        self._job.id = self._reader.job_id or self._job.id
        self.done = self._job.done = self._reader.done
        if self._job.id is None or self.done:
            return
        if self._token_at is None or time.monotonic() - self._token_at >= TOKEN_EVERY:
            yield self._heartbeat("queued" if self._token_at is None else "in_progress")
            self._token_at = time.monotonic()

    def end(self) -> Iterator[Event]:
        """See `StreamReader`."""
        return self._reader.end()

    def reply(self, reply: JSON) -> Iterator[Event]:
        """See `StreamReader`: the reply of a server that does not stream; what it works on is polled."""
        self._job.id = _id_of(reply) or self._job.id
        self.unfinished = (is_unfinished(reply) or bool(self._reader.missing(reply))) and self._job.id is not None
        if self.unfinished:
            yield self._heartbeat(str(reply["status"]))
            return
        self.done = self._job.done = True
        yield from self._reader.reply(reply)

    # ---- polling -------------------------------------------------------------------------------------------------------

    async def _poll(self, reply: JSON, *, wait: bool = True, once: bool = False) -> AsyncGenerator[Event]:
        """Until the answer is there; `once`: or until the server says that it works on it."""
        failures, asked = 0, 0.0
        while (unfinished := is_unfinished(reply)) or (missing := self._reader.missing(reply)):
            if (unfinished and wait) or failures:
                yield self._heartbeat(str(reply["status"]))
                await asyncio.sleep(max(min(self._pause * 2**failures, LONGEST), asked))
            wait = True
            try:
                got = await self._transport.call("GET", self._where if unfinished else missing)
                reply, failures, asked = got if unfinished else reply | {"rest": got}, 0, 0.0
                if once and is_unfinished(reply):
                    return
            except AssistantError as error:
                # Polling is free and a second request is not, so only the deadline of the exchange ends this. A reply that is
                # not the API's (a captive portal's) counts as passing, too.
                if not may_pass(error.kind):
                    raise _final(error) from error
                failures, asked = min(failures + 1, MAX_DOUBLINGS), min(error.retry_after or 0.0, LONGEST)
                if failures == TRIES:
                    yield Notice(UNREACHABLE.format(error=str(error).rstrip(".")))
        self.done = self._job.done = True
        for event in self._reader.reply(reply):
            if isinstance(event, ChunkReceived):
                self._read += len(event.text)
            ends = isinstance(event, ActionRequired | AssistantMessageRetrieved | MessageIncomplete)
            if ends and self._in_pieces and (rest := getattr(event, "text", "")[self._read :]):
                yield ChunkReceived(rest)  # what the stream no longer said
            yield event

    @property
    def _where(self) -> str:
        return f"{self._path}/{quote(self._job.id or '', safe='')}"

    def _heartbeat(self, status: str) -> Heartbeat:
        return Heartbeat(status, resume={"id": self._job.id, "position": self._reader.position, "text": self._read})


def _id_of(reply: JSON) -> str | None:
    """The id in a reply, or in an event that holds the reply."""
    return get_text(get_object(reply, "response") or reply, "id") or None


def _final(error: AssistantError) -> AssistantError:
    """Not retryable: the server works on the request, so a second one would be paid twice."""
    return AssistantError(error.kind, str(error), error.hint, code=error.code)
