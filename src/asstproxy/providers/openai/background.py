"""A response that the provider makes in the background: followed as a stream or polled, and found again after a crash.

https://developers.openai.com/api/docs/guides/background. Every heartbeat carries the token by which it is found again: the
response's id, the number of the last event, and how much of the answer came before it. A stream that broke is taken up after that
number; where the server does not stream any more (after five minutes), the response is polled.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Iterator

from ...core.coalesce import merge_chunks
from ...core.errors import AssistantError
from ...core.events import AssistantMessageRetrieved, ChunkReceived, Event, Heartbeat, MessageIncomplete
from ..background_job import BackgroundJob, may_pass, pause_before_looking_again
from ..transport import JSON, Transport
from .wire import Reader, outcome, unfinished

__all__ = ["BackgroundResponse"]

LOST = 3
"""Requests that may fail one after the other before a response is given up."""
TOKEN_EVERY = 5.0
"""Seconds of streaming after which a heartbeat brings the token up to date."""


class BackgroundResponse:
    """One response; `poll` is in seconds."""

    def __init__(self, transport: Transport, poll: float) -> None:
        self._transport, self._poll = transport, poll
        self._run = BackgroundJob(lambda number: transport.call("POST", f"/responses/{number}/cancel", {}))
        self._reader = Reader()
        self._said = 0  # characters of the answer
        self._token_at: float | None = None

    async def polled(self, body: JSON) -> AsyncGenerator[Event]:
        """Create it, and ask every now and then whether it is there."""
        async with self._run.watched():
            response = await self._run.begun(
                self._transport.call("POST", "/responses", body), lambda one: one.get("id")
            )
            async for event in self._poll_on(response):
                yield event

    async def streamed(self, body: JSON) -> AsyncGenerator[Event]:
        """Create it, and follow what it says."""
        stream = self._transport.events("POST", "/responses", body | {"stream": True})
        async with self._run.watched():
            async for event in self._follow(stream):
                yield event

    async def found_again(self, token: JSON) -> AsyncGenerator[Event]:
        """Take it up where the token says: from its stream if it has one, else by polling."""
        self._run.id, self._token_at = str(token["response"]), 0.0
        number = token.get("sequence")
        self._said = int(token.get("text") or 0)
        self._reader.response_id, self._reader.sequence = self._run.id, number if isinstance(number, int) else None
        async with self._run.watched():
            if self._reader.sequence is None:
                async for event in self._poll_on({"status": "in_progress"}, wait=False):
                    yield event
                return
            async for event in self._follow(self._resumed()):
                yield event

    # ---- following -----------------------------------------------------------------------------------------------------

    async def _follow(self, stream: AsyncGenerator[list[JSON]]) -> AsyncGenerator[Event]:
        lost, reader = 0, self._reader
        while lost <= LOST:
            broken: AssistantError | None = None
            async with contextlib.aclosing(stream):
                while True:
                    try:
                        together = await self._next(stream)
                    except StopAsyncIteration:
                        break
                    except AssistantError as error:
                        broken = error
                        break
                    lost = 0
                    # What this raises, the API itself has told: no broken connection.
                    for said in merge_chunks(said for event in together for said in self._fed(event)):
                        yield said
                    if reader.done:
                        return
                    if token := self._due():
                        yield token
            if self._run.id is None:
                # It may have begun, but nobody knows its name: it is neither found nor asked again.
                raise broken or AssistantError("connection", "The answer broke off before it began.", "Try again.")
            if broken is not None and not may_pass(broken):
                break  # older than five minutes, or made without a stream: polling tells
            lost += 1
            await asyncio.sleep(self._poll * (lost - 1))
            stream = self._resumed()
        async for ours in self._poll_on({"status": "in_progress"}, wait=False):
            yield ours

    async def _next(self, stream: AsyncGenerator[list[JSON]]) -> list[JSON]:
        if self._run.id is not None:
            return await anext(stream)
        return await self._run.begun(anext(stream), _number)

    def _resumed(self) -> AsyncGenerator[list[JSON]]:
        after = f"&starting_after={self._reader.sequence}" if self._reader.sequence is not None else ""
        return self._transport.events("GET", f"/responses/{self._run.id}?stream=true{after}")

    def _due(self) -> Heartbeat | None:
        first, now = self._token_at is None, time.monotonic()
        self._run.id = self._reader.response_id
        if self._run.id is None or not (self._token_at is None or now - self._token_at >= TOKEN_EVERY):
            return None
        self._token_at = now
        return Heartbeat("queued" if first else "in_progress", resume=self._token)

    @property
    def _token(self) -> JSON:
        token: JSON = {"response": self._run.id}
        if self._reader.sequence is not None:
            token |= {"sequence": self._reader.sequence, "text": self._said}
        return token

    def _fed(self, event: JSON) -> Iterator[Event]:
        for said in self._reader.feed(event):
            self._run.over = self._reader.done
            if isinstance(said, ChunkReceived) and said.phase == "answer":
                self._said += len(said.text)
            yield said

    # ---- polling -------------------------------------------------------------------------------------------------------

    async def _poll_on(self, response: JSON, *, wait: bool = True) -> AsyncGenerator[Event]:
        lost, asked = 0, 0.0
        while unfinished(response):
            if wait:
                yield Heartbeat(str(response["status"]), resume=self._token)
                await asyncio.sleep(max(self._poll, asked))
            wait = True
            try:
                response, lost, asked = await self._transport.call("GET", f"/responses/{self._run.id}"), 0, 0.0
            except AssistantError as error:
                lost, pause = lost + 1, pause_before_looking_again(error)
                if lost > LOST or pause is None:
                    # Not retryable any more: the request was heard, so it must not be sent again.
                    raise AssistantError(error.kind, str(error), error.hint) from error
                asked = pause
        self._run.over = True
        for event in outcome(response):
            streamed = self._reader.sequence is not None
            if (
                streamed
                and isinstance(event, AssistantMessageRetrieved | MessageIncomplete)
                and self._said < len(event.text)
            ):
                yield ChunkReceived(event.text[self._said :])  # what the stream did not say any more
            yield event


def _number(together: list[JSON]) -> str | None:
    return next((event["response"].get("id") for event in together if isinstance(event.get("response"), dict)), None)
