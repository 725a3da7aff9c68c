"""The Assistant Proxy over generateContent: streamed, or in one reply. Google keeps nothing: each request tells all."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from urllib.parse import quote

from ...core.coalesce import merge_chunks
from ...core.errors import AssistantError
from ...core.events import ChunkReceived, Event, Notice
from ...core.history import Item
from ..transport import JSON, Transport
from .generate_reader import Reader
from .generate_request import request
from .provider import GeminiProxy

__all__ = ["GenerateProxy"]

LINGER = 1.0
"""Seconds in which a chunk may still follow the one with the finish reason."""


class GenerateProxy(GeminiProxy):
    """`models` is the path under which the API has Google's models."""

    def __init__(self, transport: Transport, model: str, *, models: str = "/models") -> None:
        super().__init__(transport, model)
        self._models = models

    async def _request(self, items: list[Item]) -> AsyncGenerator[Event]:
        turn = self._turn
        body = request(turn, items, unsigned=self._unsigned)
        if turn.background:
            yield Notice(
                'generateContent has no background: the answer is waited for. Use api = "interactions" for one.'
            )
        streamed = turn.stream and not turn.background
        replies = self._streamed(body) if streamed else self._in_one_reply(body)
        async with contextlib.aclosing(replies):
            async for event in replies:
                yield event

    async def _streamed(self, body: JSON) -> AsyncGenerator[Event]:
        reader = Reader()
        chunks = self._transport.events("POST", self._path("streamGenerateContent?alt=sse"), body)
        async with contextlib.aclosing(chunks):
            async for together in chunks:
                for event in merge_chunks(event for chunk in together for event in reader.feed(chunk)):
                    yield event
                if reader.finished:
                    break
            if not reader.finished:
                raise AssistantError(
                    "connection", "The answer broke off: the stream ended before its last chunk.", "Try again."
                )
            for chunk in await _rest(chunks):
                for event in reader.feed(chunk):
                    yield event
        for event in reader.end():
            yield event

    async def _in_one_reply(self, body: JSON) -> AsyncGenerator[Event]:
        reader = Reader()
        reply = await self._transport.call("POST", self._path("generateContent"), body)
        for event in (*reader.feed(reply), *reader.end()):
            if not isinstance(event, ChunkReceived):  # the closing message has it all
                yield event

    def _path(self, method: str) -> str:
        model = self._turn.model
        where = f"/{model}" if "/" in model else f"{self._models}/{model}"
        return f"{quote(where, safe='/-._~@:')}:{method}"


async def _rest(chunks: AsyncIterator[list[JSON]]) -> list[JSON]:
    """What follows the finish reason, if the server ends its stream; whatever goes wrong now, the answer is there."""
    rest: list[JSON] = []
    with contextlib.suppress(TimeoutError, AssistantError):
        async with asyncio.timeout(LINGER):
            async for together in chunks:
                rest += together
    return rest
