"""The default transport: httpx2, the official SDKs' own HTTP stack, without the SDKs (which take ten times as long)."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Mapping
from typing import Any, cast
from urllib.parse import urlsplit

import httpx2
import msgspec

from ...core.errors import AssistantError
from . import JSON
from .failures import broken_connection, refusal, without_secrets

__all__ = ["ONCE", "HttpTransport"]

MAX_EVENT = 256 * 1024 * 1024
"""Bytes of one event: the last one repeats the whole answer."""
ONCE = {"Connection": "close"}
"""For plain-text addresses: llama.cpp hangs up after every stream, against its own word, and another connection costs nothing."""


class HttpTransport:
    """JSON and server-sent events over HTTP.

    `headers` carry the key and never appear in a message. `connect` and `silence` are in seconds: how long to wait for a
    connection, and between two pieces of an answer. `proxies`: whether the environment's proxy variables count. `reuse`:
    whether a connection serves several requests; left out, it does where it is encrypted.
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
        self._shown = _public(self._base)
        self._secrets = tuple(value.rpartition(" ")[2] for value in headers.values() if value)
        # A plain-text address needs no certificates, and reading them takes 60 ms.
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
        return self._object(response.text)

    async def events(self, method: str, path: str, body: JSON | None = None) -> AsyncGenerator[JSON]:
        """See `Transport.events`."""
        try:
            async with self._client.sse(
                self._base + path, method=method, json=body, max_event_size=MAX_EVENT
            ) as source:
                if not source.response.is_success:
                    await source.response.aread()
                    self._check(source.response)
                source.response.encoding = (
                    "utf-8-sig"  # always UTF-8, and a byte order mark is no part of the first event
                )
                reading = cast("AsyncGenerator[httpx2.ServerSentEvent]", aiter(source))
                async with contextlib.aclosing(reading) as events:
                    async for event in events:
                        if event.data and event.data != "[DONE]":
                            yield self._object(event.data)
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError) as error:
            raise broken_connection(error, self._shown) from error

    def _check(self, response: httpx2.Response) -> None:
        if not response.is_success:
            try:
                body: Any = msgspec.json.decode(response.content)
            except msgspec.DecodeError:
                body = None
            raise refusal(response.status_code, body, response.headers, self._shown, self._secrets)

    def _object(self, text: str) -> JSON:
        if '"error"' in text:  # what a server says of its failure may hold the key
            text = without_secrets(text, self._secrets)
        try:
            value = msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeEncodeError):
            value = None
        if not isinstance(value, dict):
            raise AssistantError(
                "protocol",
                f"The server at {self._shown} sent something that is no JSON object.",
                "Check base_url: is it the address of this API?",
            )
        return value

    async def aclose(self) -> None:
        """Close every connection."""
        await self._client.aclose()


def _public(address: str) -> str:
    """The address for messages: without a user and a password."""
    scheme, mark, rest = address.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{mark}{host.rpartition('@')[2]}{slash}{path}"
