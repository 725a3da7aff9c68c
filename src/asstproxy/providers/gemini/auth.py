"""Application default credentials: the Google login of this machine, refreshed during a conversation."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from importlib.util import find_spec
from typing import Any

import httpx2

from ...core.errors import AssistantError, NotSetUpError
from ...core.redact import register_secrets
from ...tools import ToolError, run_blocking
from ..transport.http import HttpTransport
from .failures import LOGIN

__all__ = ["DefaultCredentials", "VertexTransport", "default_project"]

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
TOKEN_TIMEOUT = 60.0
"""Seconds for getting a token from Google."""
NO_LOGIN = "This machine has no Google login (application default credentials)."


def default_project() -> str:
    """The project of the login on this machine.

    Raises:
        NotSetUpError: this machine has no login, or the login has no project.
    """
    _require_google_auth()
    import google.auth.exceptions  # type: ignore[import-not-found,unused-ignore]

    try:
        _, project = google.auth.default(scopes=[SCOPE])
    except google.auth.exceptions.GoogleAuthError:
        raise NotSetUpError(NO_LOGIN, f"{LOGIN}, and set project.") from None
    if not project:
        raise NotSetUpError(
            "The Google Cloud project is missing.", "Set project in the profile, or GOOGLE_CLOUD_PROJECT."
        )
    return str(project)


def _require_google_auth() -> None:
    try:
        found = find_spec("google.auth")
    except ModuleNotFoundError:
        found = None
    if found is None:
        raise NotSetUpError("Agent Platform needs the package google-auth.", "Run: pip install 'asstproxy[vertex]'")


class DefaultCredentials(httpx2.Auth):
    """Signs requests. `on_token` is called with every token, so that it can be removed from messages."""

    def __init__(self, on_token: Callable[[str], object] = lambda _: None) -> None:
        self._on_token = on_token
        self._credentials: Any = None

    async def async_auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        """Sign the request; if it is refused, once more with a new token."""
        request.headers.update(await self._headers(request, renew=False))
        response = yield request
        if response.status_code == 401:
            request.headers.update(await self._headers(request, renew=True))
            yield request

    async def _headers(self, request: httpx2.Request, *, renew: bool) -> dict[str, str]:
        method, url = request.method, str(request.url)
        try:
            # In a thread, because google-auth blocks; a daemon, so that it never keeps the process alive.
            headers: dict[str, str] = await run_blocking(lambda: self._signed(method, url, renew=renew), TOKEN_TIMEOUT)
        except (TimeoutError, ToolError) as error:
            raise AssistantError("timeout", "Google's login server does not answer.", "Try again.") from error
        except Exception as error:
            raise _mapped(error) from error
        self._on_token(next((v for k, v in headers.items() if k.lower() == "authorization"), "").rpartition(" ")[2])
        return headers

    def _signed(self, method: str, url: str, *, renew: bool) -> dict[str, str]:
        import google.auth  # type: ignore[import-not-found,unused-ignore]
        from google.auth.transport.requests import Request  # type: ignore[import-not-found,unused-ignore]

        if self._credentials is None:
            self._credentials, _ = google.auth.default(scopes=[SCOPE])
        headers: dict[str, str] = {}
        if renew:
            self._credentials.refresh(Request())
        self._credentials.before_request(Request(), method, url, headers)
        return headers


def _mapped(error: Exception) -> Exception:
    words = str(error.args[0]) if error.args else ""
    match type(error).__name__:
        case "DefaultCredentialsError":
            return AssistantError("authentication", NO_LOGIN, LOGIN)
        case "RefreshError" | "ReauthFailError" | "OAuthError":
            return AssistantError("authentication", f"The Google login is no longer valid: {words}", LOGIN)
        case "TransportError" | "ResponseError":
            return AssistantError(
                "connection", "Can't reach Google's login server.", "Is the network up?", retryable=True
            )
        case "ImportError" | "ModuleNotFoundError":
            return AssistantError(
                "authentication", f"google-auth can't be imported: {error}", "Run: pip install 'asstproxy[vertex]'"
            )
    return error


class VertexTransport(HttpTransport):
    """`HttpTransport` with the Google login of this machine.

    Raises:
        NotSetUpError: google-auth is not installed.
    """

    def __init__(self, base_url: str, *, connect: float = 10.0, silence: float = 600.0) -> None:
        _require_google_auth()
        super().__init__(base_url, {}, connect=connect, silence=silence)
        self._client.auth = DefaultCredentials(self._hide)

    def _hide(self, token: str) -> None:
        self._secrets = (token,)
        register_secrets(token)
