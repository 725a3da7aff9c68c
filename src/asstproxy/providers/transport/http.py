"""The default transport: httpx2, the official SDKs' own HTTP stack, without the SDKs (which take ten times as long).

It is imported with the first request, or by `warm_up`: a chat shows its prompt before.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from ...core.errors import AssistantError
from ...core.redact import public_url, redact_logs, register_secrets
from . import JSON
from .body import decode_error
from .proxies import certificates_are_named, proxy_for, tls_context
from .reading import MAX_EVENT, Body, too_large
from .sse import TooLargeError

if TYPE_CHECKING:
    import httpx2

__all__ = ["ONCE", "HttpTransport"]

MAX_REFUSAL = 64 * 1024
"""Bytes of an error's body that are read: far more than any API explains."""
REFUSAL_WITHIN = 5.0
"""Seconds in which the body of an error has to arrive; of what has not, the status alone counts."""
ENDLESS = 5.0
"""Seconds beyond `silence` in which the headers have to arrive: a server may send interim replies (1xx) and never fall silent."""
UPLOAD_WITHIN = 3600.0
"""Seconds in which a file has to be uploaded: 2 GB at 5 Mbit/s."""
STREAMED = {"Accept": "text/event-stream", "Cache-Control": "no-store"}
ONCE = {"Connection": "close"}
"""For plain HTTP: llama.cpp closes the connection after every stream although it says otherwise; a new one costs nothing."""


COST = "x-litellm-response-cost"
"""The header with the cost of a request, of LiteLLM's proxy (https://docs.litellm.ai/docs/proxy/response_headers)."""


class HttpTransport:
    """JSON and server-sent events over HTTP.

    `headers` carry the key and never appear in a message; `plain_headers` hold nothing secret. `connect` and `silence` are in
    seconds: how long to wait for a connection, and for the next piece of an answer. `proxies`: whether the environment's proxy
    variables count. `reuse`: whether a connection serves several requests; by default it does if it is encrypted. `query` is added
    to every path. `key_hint` says which key was sent, in an error about it.

    Raises:
        NotSetUpError: the environment's proxy or certificates can't be used.
    """

    def __init__(
        self,
        base_url: str,
        headers: Mapping[str, str],
        *,
        plain_headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        key_hint: str = "",
        connect: float = 10.0,
        silence: float = 600.0,
        proxies: bool = True,
        reuse: bool | None = None,
    ) -> None:
        self._base = base_url.rstrip("/")
        self._shown = public_url(self._base)
        self._secrets = tuple(value.rpartition(" ")[2] for value in headers.values() if value)
        self._query, self.key_hint = urlencode(query or {}), key_hint
        register_secrets(*self._secrets)
        redact_logs()
        self._secure = urlsplit(self._base).scheme != "http"
        once = {} if (self._secure if reuse is None else reuse) else ONCE
        self._headers = {**(plain_headers or {}), **headers, **once}
        self._proxy = proxy_for(self._base) if proxies else None
        self._connect, self._silence = connect, silence
        if self._proxy or (self._secure and certificates_are_named()):
            self.warm_up()  # what the environment names may be of no use, which is an error now

    @cached_property
    def _client(self) -> httpx2.AsyncClient:
        import httpx2

        from .coalescing import coalesce_reads

        # Plain HTTP needs no certificates, and reading them takes 60 ms.
        context = tls_context() if self._secure else False
        proxy = self._proxy.client_proxy(context) if self._proxy else None
        transport = httpx2.AsyncHTTPTransport(verify=context, proxy=proxy, trust_env=False)
        coalesce_reads(transport)
        timeout = httpx2.Timeout(self._silence, connect=self._connect)
        return httpx2.AsyncClient(headers=self._headers, timeout=timeout, transport=transport, trust_env=False)

    def warm_up(self) -> None:
        """See `WarmsUp`: import the HTTP client, and read the certificates."""
        _ = self._client

    async def call(self, method: str, path: str, body: JSON | None = None) -> JSON:
        """See `Transport.call`."""
        async with (
            self._answer(method, path, {}, json=body) as response,
            contextlib.aclosing(self._body(response)) as read,
        ):
            return _with_cost(await read.object(), response.headers)

    async def upload(self, path: str, headers: Mapping[str, str], **sent: Any) -> tuple[Mapping[str, str], JSON]:
        """POST something other than JSON; the headers and the object of the reply, which may be empty.

        `path` may be a whole URL of the same server. `sent` are httpx2's `content`, `data` and `files`, or `json`.

        Raises:
            AssistantError: as `Transport.call`; or the URL is of another server, which must not get the key.
        """
        self._check_server(path)
        async with (
            self._answer("POST", path, headers, within=UPLOAD_WITHIN, **sent) as response,
            contextlib.aclosing(self._body(response)) as read,
        ):
            return response.headers, await read.object(may_be_empty=True)

    async def lines(self, path: str) -> AsyncGenerator[bytes]:
        """GET a file of lines, and yield each one without its end; `path` as in `upload`. It may be larger than memory.

        Raises:
            AssistantError: as `Transport.call`, also when the connection breaks in the middle.
        """
        self._check_server(path)
        async with self._answer("GET", path, {}) as response:
            rest = b""
            async for piece in response.aiter_bytes():
                *whole, rest = (rest + piece).split(b"\n")
                if len(rest) > MAX_EVENT:
                    raise TooLargeError
                for line in whole:
                    yield line.removesuffix(b"\r")
            if rest:
                yield rest

    def _check_server(self, path: str) -> None:
        """Raise if `path` is a URL of another server, which must not get the key."""
        if "://" in path and urlsplit(path)[:2] != urlsplit(self._base)[:2]:
            raise AssistantError("protocol", f"{self._shown} points to a file on another server.", "Check base_url.")

    @property
    def address(self) -> str:
        """The URL to which paths are relative."""
        return self._base

    async def events(self, method: str, path: str, body: JSON | None = None) -> AsyncGenerator[list[JSON]]:
        """See `Transport.events`."""
        async with (
            self._answer(method, path, STREAMED, json=body) as response,
            contextlib.aclosing(self._body(response)) as read,
            contextlib.aclosing(read.events()) as events,
        ):
            async for together in events:
                yield together

    def _body(self, response: httpx2.Response) -> Body:
        kind = response.headers.get("content-type", "")
        return Body(response.aiter_bytes(), content_type=kind, where=self._shown, secrets=self._secrets)

    @contextlib.asynccontextmanager
    async def _answer(
        self, method: str, path: str, headers: Mapping[str, str], *, within: float = 0.0, **sent: Any
    ) -> AsyncIterator[httpx2.Response]:
        """The reply to a request, whose body is not read yet. `within`: seconds for the request and the head of the reply, if they
        are more than usual.

        Raises:
            AssistantError: there is none, the server refuses, or (in the block, too) the connection breaks.
        """
        import httpx2

        answered = False
        try:
            request = self._client.build_request(method, self._url(path), headers=headers, **sent)
            async with asyncio.timeout(within or self._silence + ENDLESS):
                response = await self._client.send(request, stream=True)
            answered = True
            async with contextlib.aclosing(response):
                if not response.is_success:
                    await self._refuse(response, path)
                yield response
        except TooLargeError:
            raise too_large(self._shown) from None
        except TimeoutError:
            message = f"{self._shown} sent no answer within {self._silence:.0f} seconds."
            raise AssistantError("timeout", message, "Try again.") from None
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError) as error:
            from .failures import broken_connection

            via = (self._proxy.shown, self._proxy.source) if self._proxy else None
            raise broken_connection(error, self._shown, answered=answered, proxy=via) from error

    def _url(self, path: str) -> str:
        if "://" in path:  # where a file goes
            return path
        return self._base + path + (f"{'&' if '?' in path else '?'}{self._query}" if self._query else "")

    async def _refuse(self, response: httpx2.Response, path: str) -> None:
        """Raise what the reply says; of its body, what arrives soon and is not endless."""
        import httpx2

        from .failures import name_key, refusal

        body = b""
        with contextlib.suppress(TimeoutError, httpx2.HTTPError):  # the status counts, whatever becomes of its body
            async with asyncio.timeout(REFUSAL_WITHIN), contextlib.aclosing(response.aiter_bytes()) as pieces:
                async for piece in pieces:
                    body += piece
                    if len(body) >= MAX_REFUSAL:
                        break
        error = refusal(response.status_code, decode_error(body[:MAX_REFUSAL]), response.headers, self._shown, path)
        name_key(error, self.key_hint)
        raise error

    async def aclose(self) -> None:
        """Close every connection."""
        if "_client" in self.__dict__:
            await self._client.aclose()


def _with_cost(reply: JSON, headers: Mapping[str, str]) -> JSON:
    """The reply, with the cost of the header in its `usage`, where the other servers put it.

    A streamed reply has no such header: it is sent before the answer exists.
    """
    usage = reply.get("usage")
    if COST in headers and isinstance(usage, dict):
        with contextlib.suppress(ValueError):
            usage.setdefault("cost", float(headers[COST]))
    return reply
