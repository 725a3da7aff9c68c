"""The default transport: httpx2, the official SDKs' own HTTP stack, without the SDKs (which take ten times as long)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from urllib.parse import urlsplit

import httpx2

from ...core.errors import AssistantError
from ...core.redact import public_url, redact_logs, register_secrets, remove_secrets
from . import JSON
from .body import BodyReader, decode_error, decode_json
from .decoder import EventDecoder
from .failures import broken_connection, refusal
from .sse import TooLargeError

__all__ = ["ONCE", "HttpTransport"]

MAX_EVENT = 256 * 1024 * 1024
"""Bytes of one event; the last one of a stream repeats the whole answer."""
STREAMED = {"Accept": "text/event-stream", "Cache-Control": "no-store"}
ONCE = {"Connection": "close"}
"""For plain HTTP: llama.cpp closes the connection after every stream although it says otherwise; a new one costs nothing."""


class HttpTransport:
    """JSON and server-sent events over HTTP.

    `headers` carry the key and never appear in a message. `connect` and `silence` are in seconds: how long to wait for a
    connection, and for the next piece of an answer. `proxies`: whether the environment's proxy variables count. `reuse`:
    whether a connection serves several requests; by default it does if it is encrypted.
    """

    def __init__(
        self,
        base_url: str,
        headers: Mapping[str, str],
        *,
        connect: float = 10.0,
        silence: float = 600.0,
        proxies: bool = True,
        reuse: bool | None = None,
    ) -> None:
        self._base = base_url.rstrip("/")
        self._shown = public_url(self._base)
        self._secrets = tuple(value.rpartition(" ")[2] for value in headers.values() if value)
        register_secrets(*self._secrets)
        redact_logs()
        # Plain HTTP needs no certificates, and reading them takes 60 ms.
        secure = urlsplit(self._base).scheme != "http"
        once = {} if (secure if reuse is None else reuse) else ONCE
        self._client = httpx2.AsyncClient(
            headers=dict(headers) | once,
            timeout=httpx2.Timeout(silence, connect=connect),
            verify=secure,
            trust_env=proxies,
        )

    async def call(self, method: str, path: str, body: JSON | None = None) -> JSON:
        """See `Transport.call`."""
        try:
            response = await self._client.request(method, self._base + path, json=body)
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError) as error:
            raise broken_connection(error, self._shown) from error
        self._check(response)
        return self._object(response.content)

    async def events(self, method: str, path: str, body: JSON | None = None) -> AsyncGenerator[list[JSON]]:
        """See `Transport.events`."""
        answered = False
        try:
            async with self._client.stream(method, self._base + path, json=body, headers=STREAMED) as response:
                answered = True
                if not response.is_success:
                    await response.aread()
                    self._check(response)
                async with contextlib.aclosing(response.aiter_bytes()) as pieces:
                    async for together in self._read(pieces, labelled=_is_stream(response)):
                        yield together
        except TooLargeError:
            raise AssistantError(
                "protocol", f"{self._shown} sent an event that is too large.", "Check base_url."
            ) from None
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError) as error:
            raise broken_connection(error, self._shown, answered=answered) from error

    async def _read(self, pieces: AsyncIterator[bytes], *, labelled: bool) -> AsyncGenerator[list[JSON]]:
        """The objects in a body: those of its events, or the one that it is."""
        reader, decoder = BodyReader(MAX_EVENT, labelled=labelled), EventDecoder(self._shown, self._secrets)
        try:
            while (piece := await _next(pieces, decoder.finished_at)) is not None:
                for together in decoder.decode(reader.feed(piece)):
                    yield together
        except httpx2.HTTPError:  # an event whose blank line is missing arrived all the same
            for together in decoder.decode(reader.end(), cut=True):
                yield together
            raise
        for together in decoder.decode(reader.end(), cut=True):
            yield together
        if reader.kind in ("json", "words"):
            yield decoder.whole(reader.body)

    def _check(self, response: httpx2.Response) -> None:
        if not response.is_success:
            body = decode_error(response.content)
            raise refusal(response.status_code, body, response.headers, self._shown)

    def _object(self, data: bytes) -> JSON:
        if b'"error"' in data:  # an error message may quote the key
            data = remove_secrets(data.decode(errors="replace"), self._secrets).encode()
        value = decode_json(data)
        if not isinstance(value, dict):
            raise AssistantError(
                "protocol",
                f"The server at {self._shown} sent something other than a JSON object.",
                "Check base_url: is it the address of this API?",
            )
        return value

    async def aclose(self) -> None:
        """Close every connection."""
        await self._client.aclose()


def _is_stream(response: httpx2.Response) -> bool:
    return response.headers.get("content-type", "").partition(";")[0].strip().lower() == STREAMED["Accept"]


async def _next(pieces: AsyncIterator[bytes], until: float | None) -> bytes | None:
    """The next piece of a body; None at its end, or when it has not ended by then."""
    try:
        if until is None:
            return await anext(pieces)
        async with asyncio.timeout_at(until):
            return await anext(pieces)
    except (StopAsyncIteration, TimeoutError):
        return None
