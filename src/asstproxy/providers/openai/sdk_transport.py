"""The official `openai` client as a transport: for programs that already have one, and for `transport = "sdk"`."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from typing import TYPE_CHECKING, Any

import httpx2

from ...core.errors import AssistantError
from ...core.redact import redact_logs, register_named_secrets
from ..transport import JSON
from ..transport.body import decode_error
from ..transport.failures import broken_connection, refusal
from ..transport.http import MAX_REFUSAL, ONCE
from ..transport.reading import Body, too_large
from ..transport.sse import TooLargeError

if TYPE_CHECKING:
    from openai import AsyncOpenAI

__all__ = ["OpenAITransport"]


class OpenAITransport:
    """Sends our JSON through `AsyncOpenAI`, with its authentication, proxies and instrumentation.

    Its retries are off: the driver retries, where the person can see it. The caller closes the client, unless `own` hands it
    over.
    """

    def __init__(self, client: AsyncOpenAI, *, own: bool = False) -> None:
        plain = client.base_url.scheme == "http"
        self._client = client.with_options(max_retries=0, default_headers=ONCE if plain else None)
        self._own = own
        self._secrets = (client.api_key,) if isinstance(client.api_key, str) else ()
        self._where = str(client.base_url).rstrip("/")
        redact_logs()

    async def call(self, method: str, path: str, body: JSON | None = None) -> JSON:
        """See `Transport.call`."""
        async with self._answer(method, path, body) as read:
            return await read.object()

    async def events(self, method: str, path: str, body: JSON | None = None) -> AsyncGenerator[list[JSON]]:
        """See `Transport.events`."""
        async with self._answer(method, path, body) as read, contextlib.aclosing(read.events()) as events:
            async for together in events:
                yield together

    @contextlib.asynccontextmanager
    async def _answer(self, method: str, path: str, body: JSON | None) -> AsyncIterator[Body]:
        """The body of the reply as it arrives: the SDK would lose what its own servers never send."""
        answered = False
        try:
            response = await self._request(method, path, body)
            answered = True
            self._remember_key()  # a response that failed may quote it
            async with contextlib.aclosing(response):
                kind = str(response.headers.get("content-type", ""))
                read = Body(response.aiter_bytes(), content_type=kind, where=self._where, secrets=self._secrets)
                async with contextlib.aclosing(read):
                    yield read
        except TooLargeError:
            raise too_large(self._where) from None
        except Exception as error:
            raise self._mapped(error, answered=answered) from error

    async def _request(self, method: str, path: str, body: JSON | None) -> Any:
        from openai import AsyncStream

        # A response of the HTTP client, unread, spares the SDK its five hundred models. Redirects are not followed, as with our
        # own transport: the conversation goes where the profile says, and nowhere else.
        how: dict[str, Any] = {
            "cast_to": httpx2.Response,
            "stream": True,
            "stream_cls": AsyncStream[object],
            "options": {"follow_redirects": False},
        }
        match method:
            case "GET":
                return await self._client.get(path, **how)
            case "DELETE":
                return await self._client.delete(path, **how)
        return await self._client.post(path, body=body, **how)

    def _remember_key(self) -> None:
        """After a request: a client may get its key, or a token, only when it sends the first one."""
        headers = {
            **self._client.auth_headers,
            **self._client.default_headers,
        }  # openai 3 has the key in no default header
        register_named_secrets({name: value for name, value in headers.items() if isinstance(value, str)})

    def _mapped(self, error: Exception, *, answered: bool) -> Exception:
        import openai

        self._remember_key()
        match error:
            case AssistantError():
                return error
            case openai.APIStatusError():
                details = decode_error(error.response.content[:MAX_REFUSAL])
                return refusal(error.status_code, details, error.response.headers, self._where)
            case openai.APIConnectionError():
                cause = error.__cause__
                return broken_connection(
                    cause if isinstance(cause, Exception) else error, self._where, answered=answered
                )
            case httpx2.HTTPError() | httpx2.StreamError():
                return broken_connection(error, self._where, answered=answered)
            case openai.OpenAIError():
                return AssistantError("authentication", str(error), "Check the client that you passed in.")
            case UnicodeEncodeError():  # our JSON never raises it, headers do
                return AssistantError(
                    "authentication",
                    "The key contains characters that a header can't hold.",
                    "Check the client that you passed in.",
                )
            case ValueError() | TypeError():
                return AssistantError(
                    "protocol", f"{self._where} sent something other than a JSON object.", "Check base_url."
                )
        return error

    async def aclose(self) -> None:
        """Close the client, if it is ours."""
        if self._own:
            await self._client.close()
