"""The official `google-genai` client as a transport: for programs that already have one, and for `transport = "sdk"`.

Works with 2.34 and 3.x. Our JSON is sent as the body of a request (`extra_body`), so that nothing is lost in the SDK's types;
the reply is turned back into JSON.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from ...core.errors import AssistantError
from ...core.redact import redact_logs, register_secrets
from ..transport import JSON
from ..transport.failures import broken_connection, refusal
from .failures import LOGIN

if TYPE_CHECKING:
    from google.genai import Client  # type: ignore[import-not-found,unused-ignore]
    from google.genai.types import HttpOptions  # type: ignore[import-not-found,unused-ignore]

__all__ = ["GoogleTransport", "client_options"]

WHERE = "Gemini's API"
NEVER = 599
STACKS = ("httpx", "httpx2", "httpcore", "httpcore2", "aiohttp")
"""The packages that may send the SDK's requests; the SDK does not wrap their exceptions."""


def client_options(base: str, version: str, silence: float) -> HttpOptions:
    """The options of a client that we make. The driver retries, so the SDK must not; its timeouts are in milliseconds."""
    from google.genai.types import HttpOptions, HttpRetryOptions  # type: ignore[import-not-found,unused-ignore]

    return HttpOptions(
        base_url=base,
        api_version=version,
        timeout=round(silence * 1000),
        # 2.x takes `attempts` for retries in the Interactions API, so it never retries, whatever the status.
        retry_options=HttpRetryOptions(attempts=1, http_status_codes=[NEVER]),
        # As with our own transport: the conversation and the key go where the profile says, and nowhere else.
        client_args={"follow_redirects": False},
        async_client_args={"follow_redirects": False},
    )


class GoogleTransport:
    """Sends our JSON through `genai.Client`, with its authentication, proxies and instrumentation.

    The caller closes the client, unless it is `owned`. The Interactions API of a client retries by itself, unless the client was
    made with the `retry_options` of `client_options`.
    """

    def __init__(self, client: Client, *, owned: bool = False) -> None:
        self._client, self._owned = client, owned
        key = getattr(getattr(client, "_api_client", None), "api_key", None)
        register_secrets(key if isinstance(key, str) else None)
        redact_logs()

    async def call(self, method: str, path: str, body: JSON | None = None) -> JSON:
        """See `Transport.call`."""
        try:
            return _as_json(await self._sent(method, path, body or {}))
        except Exception as error:
            raise self._mapped(error) from error

    async def events(self, method: str, path: str, body: JSON | None = None) -> AsyncGenerator[list[JSON]]:
        """See `Transport.events`."""
        try:
            stream = await self._sent(method, path, body or {})
            try:
                async for event in stream:
                    yield [_as_json(event)]
            finally:
                await _close(stream)
        except Exception as error:
            raise self._mapped(error) from error

    async def _sent(self, method: str, path: str, body: JSON) -> Any:
        where = urlsplit(path)
        if where.path.startswith("/interactions"):
            return await self._interaction(method, where.path.split("/")[2:], dict(parse_qsl(where.query)), body)
        from google.genai import types  # type: ignore[import-not-found,unused-ignore]

        model, _, verb = unquote(where.path).removeprefix("/").removeprefix("models/").rpartition(":")
        models = self._client.aio.models
        ask = models.generate_content_stream if verb.startswith("stream") else models.generate_content
        config = types.GenerateContentConfig(
            http_options=types.HttpOptions(extra_body=body),
            automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
        )
        return await ask(model=model, contents="(see extra_body)", config=config)

    async def _interaction(self, method: str, path: list[str], query: dict[str, str], body: JSON) -> Any:
        interactions: Any = self._client.aio.interactions
        match method, path:
            case "POST", []:
                how = {name: body[name] for name in ("stream", "background") if name in body}
                return await interactions.create(model=body["model"], input="(see extra_body)", extra_body=body, **how)
            case "POST", [number, "cancel"]:
                return await interactions.cancel(unquote(number))
            case _:
                again = {"stream": True, "last_event_id": query["last_event_id"]} if "stream" in query else {}
                return await interactions.get(unquote(path[0]), **again)

    def _mapped(self, error: Exception) -> Exception:
        """Our error for the SDK's: it has two hierarchies (`errors.APIError`, the Interactions API's) over those of its stack."""
        status = getattr(error, "status_code", None) or getattr(error, "code", None)
        if isinstance(status, int) and status >= 300:
            body = getattr(error, "details", None) or getattr(error, "body", None)
            headers = getattr(getattr(error, "response", None), "headers", None) or {}
            return refusal(status, body if isinstance(body, dict | list) else None, headers, WHERE)
        match type(error).__name__:
            case "APIConnectionError" | "APITimeoutError":
                cause = error.__cause__ or error.__context__
                return broken_connection(cause if isinstance(cause, Exception) else error, WHERE)
            case "ResponseNotRead":  # 3.6 stumbles over a redirect, which it was told not to follow
                return AssistantError("protocol", f"{WHERE} redirects to another address.", "Check base_url.")
            case _ if type(error).__module__.partition(".")[0] in STACKS:
                return broken_connection(error, WHERE)
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


async def _close(stream: Any) -> None:
    """End the request of a stream that may not be at its end.

    To close generateContent's iterator is not enough: inside it, an object refers to itself (google-genai 3.6, HttpResponse),
    so the connection stays open until garbage is collected. A read that is cancelled closes it at once.
    """
    if not isinstance(stream, AsyncGenerator):
        if close := getattr(stream, "close", None):  # the Interactions API's
            await close()
        return
    done = True
    while done:  # a chunk that has arrived already is read before there is anything to wait for
        reading = asyncio.ensure_future(anext(stream))
        done = bool((await asyncio.wait({reading}, timeout=0))[0])
        if done and reading.exception() is not None:
            return
    reading.cancel()
    await asyncio.wait({reading})


def _as_json(answer: Any) -> JSON:
    """The JSON from which the SDK made an object."""
    if isinstance(answer, dict):
        return answer
    if not hasattr(answer, "model_dump"):  # the SDK passes on a line that it can't read
        raise TypeError
    return dict(answer.model_dump(mode="json", by_alias=True, exclude_none=True))
