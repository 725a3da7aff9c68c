"""The official `openai` client as a transport: for programs that already have one, and for `transport = "sdk"`."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any

import msgspec

from ...core.errors import AssistantError
from ...core.redact import redact_logs, register_named_secrets, remove_secrets
from ..transport import JSON
from ..transport.decoder import EventDecoder
from ..transport.failures import broken_connection, failure, refusal
from ..transport.http import ONCE

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
        try:
            answer = dict(await self._request(method, path, body))
        except Exception as error:
            raise self._mapped(error) from error
        self._remember_key()  # a response that failed may quote it
        return answer

    async def events(self, method: str, path: str, body: JSON | None = None) -> AsyncGenerator[list[JSON]]:
        """See `Transport.events`."""
        from openai import AsyncStream

        try:
            stream = await self._request(method, path, body, stream=True, stream_cls=AsyncStream[object])
            try:
                kind = str(stream.response.headers.get("content-type", ""))
                if not kind.startswith("text/event-stream"):
                    data = await stream.response.aread()
                    yield EventDecoder(self._where, self._secrets).whole(data)
                    return
                async for event in stream:
                    if isinstance(event, dict):  # else `data: null` and the like
                        yield [self._told(dict(event))]
            finally:
                await stream.close()
        except Exception as error:
            raise self._mapped(error) from error

    def _told(self, event: JSON) -> JSON:
        """The event; the key is removed if it reports a failure."""
        if event.get("type") not in ("error", "response.failed"):
            return event
        return dict(msgspec.json.decode(remove_secrets(msgspec.json.encode(event).decode(), self._secrets)))

    async def _request(self, method: str, path: str, body: JSON | None, **how: Any) -> Any:
        # `cast_to=object` returns the JSON as it arrived, and spares the SDK its five hundred models. Redirects are not
        # followed, as with our own transport: the conversation goes where the profile says, and nowhere else.
        how["options"] = {"follow_redirects": False}
        match method:
            case "GET":
                return await self._client.get(path, cast_to=object, **how)
            case "DELETE":
                return await self._client.delete(path, cast_to=object, **how)
        return await self._client.post(path, cast_to=object, body=body, **how)

    def _remember_key(self) -> None:
        """After a request: a client may get its key, or a token, only when it sends the first one."""
        headers = {
            **self._client.auth_headers,
            **self._client.default_headers,
        }  # openai 3 has the key in no default header
        register_named_secrets({name: value for name, value in headers.items() if isinstance(value, str)})

    def _mapped(self, error: Exception) -> Exception:
        import openai

        self._remember_key()
        match error:
            case AssistantError():
                return error
            case openai.APIStatusError():
                return refusal(error.status_code, error.body, error.response.headers, self._where)
            case openai.APIConnectionError():
                cause = error.__cause__
                return broken_connection(cause if isinstance(cause, Exception) else error, self._where)
            case openai.APIError():
                return failure(str(error.code or error.type or ""), error.message)
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
