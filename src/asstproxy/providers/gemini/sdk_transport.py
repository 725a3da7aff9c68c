"""The official `google-genai` client as a transport: for programs that already have one, and for `transport = "sdk"`.

Works with 3.6. Our JSON goes out with the client's addresses, headers and login, and the reply is read as without the SDK: its
types would lose what Google's own servers never send.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from typing import TYPE_CHECKING, Any

from ...core.errors import AssistantError
from ...core.redact import redact_logs, register_secrets
from ..transport import JSON
from ..transport.body import decode_error
from ..transport.failures import broken_connection, refusal
from ..transport.http import MAX_REFUSAL
from ..transport.reading import Body, too_large
from ..transport.sse import TooLargeError
from .failures import LOGIN

if TYPE_CHECKING:
    from google.genai import Client  # type: ignore[import-not-found,unused-ignore]
    from google.genai.types import HttpOptions  # type: ignore[import-not-found,unused-ignore]

__all__ = ["GoogleTransport", "client_options"]

WHERE = "Gemini's API"
STACKS = ("httpx", "httpx2", "httpcore", "httpcore2", "aiohttp")
"""The packages that may send the SDK's requests; the SDK does not wrap their exceptions."""


def client_options(base: str, version: str, silence: float) -> HttpOptions:
    """The options of a client that we make. The driver retries, so the SDK must not; its timeouts are in milliseconds."""
    from google.genai.types import HttpOptions, HttpRetryOptions  # type: ignore[import-not-found,unused-ignore]

    return HttpOptions(
        base_url=base,
        api_version=version,
        timeout=round(silence * 1000),
        retry_options=HttpRetryOptions(attempts=1),
        # As with our own transport: the conversation and the key go where the profile says, and nowhere else.
        client_args={"follow_redirects": False},
        async_client_args={"follow_redirects": False},
    )


class GoogleTransport:
    """Sends our JSON through `genai.Client`, with its authentication and proxies.

    The caller closes the client, unless it is `owned`.
    """

    def __init__(self, client: Client, *, owned: bool = False) -> None:
        self._client, self._owned = client, owned
        key = getattr(getattr(client, "_api_client", None), "api_key", None)
        register_secrets(key if isinstance(key, str) else None)
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
        """The body of the reply as it arrives: the SDK would lose what Google's own servers never send.

        It has no public way to it, so this is the one that its own methods take.
        """
        answered = False
        try:
            api: Any = self._client._api_client  # noqa: SLF001
            path = path.removeprefix("/")
            if api.vertexai and path.startswith("models/"):
                path = f"publishers/google/{path}"
            request = api._build_request(method.lower(), path, dict(body or {}))  # noqa: SLF001
            reply = (await api._async_request(request, stream=True)).response_stream  # noqa: SLF001
            answered = True
            try:
                kind = str(reply.headers.get("content-type", ""))
                arriving = reply.aiter_bytes() if hasattr(reply, "aiter_bytes") else reply.content.iter_any()
                async with contextlib.aclosing(Body(arriving, content_type=kind, where=WHERE)) as read:
                    yield read
            finally:
                await _close(reply)
        except TooLargeError:
            raise too_large(WHERE) from None
        except Exception as error:
            raise self._mapped(error, answered=answered) from error

    def _mapped(self, error: Exception, *, answered: bool) -> Exception:
        """Our error for the SDK's: it has two hierarchies (`errors.APIError`, the Interactions API's) over those of its stack."""
        status = getattr(error, "status_code", None) or getattr(error, "code", None)
        if isinstance(status, int) and status >= 300:
            reply = getattr(error, "response", None)
            content = getattr(reply, "content", None)  # aiohttp has a stream there
            details = (
                decode_error(content[:MAX_REFUSAL]) if isinstance(content, bytes) else getattr(error, "details", None)
            )
            return refusal(status, details, getattr(reply, "headers", None) or {}, WHERE)
        match type(error).__name__:
            case _ if type(error).__module__.partition(".")[0] in STACKS:
                return broken_connection(error, WHERE, answered=answered)
            case "DefaultCredentialsError" | "RefreshError":
                words = str(error.args[0]) if error.args else ""
                return AssistantError("authentication", f"The Google login can't be used: {words}", LOGIN)
            case _ if isinstance(status, int) or isinstance(error, ValueError | TypeError):
                return AssistantError("protocol", f"{WHERE} sent something that can't be read.", "Check base_url.")
        return error

    async def aclose(self) -> None:
        """Close the client, if it is ours."""
        if self._owned:
            await self._client.aio.aclose()
            self._client.close()


async def _close(reply: Any) -> None:
    """End the connection of a reply, of httpx or of aiohttp."""
    if hasattr(reply, "aclose"):
        await reply.aclose()
    else:
        reply.close()
