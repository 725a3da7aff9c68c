"""Who may talk to the page's server: the browser of the person who started it, from this page, and nobody else.

The rules, and the attack that each of them stops:

- the `Host` is one of ours: a foreign name that was made to point here (DNS rebinding) is refused;
- a random token in the address is exchanged for a cookie that no script reads (`HttpOnly`) and no other site sends
  (`SameSite=Strict`): other users of this machine can't read the sessions;
- a request that changes something comes from our own origin and carries a header that no form can send (CSRF);
- a body is bounded;
- the page loads nothing from elsewhere and runs no inline script (`Content-Security-Policy`).
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["MAX_BODY", "Guard"]

MAX_BODY = 64 * 1024 * 1024
"""Bytes of a request: more than any provider takes in one message."""
HEADER = "x-asst"
"""A form of another site can't send it, and a script of another site has to ask first, which we never allow."""
_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; media-src 'self' data: blob:; object-src 'none'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?")
_ENTER = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="0;url={path}">'
    '<title>asst</title><p><a href="{path}">Continue</a></p>'
)


class Guard:
    """Lets a request through if it keeps the rules of this module; the rest gets one line that says why not.

    `token`: what the address must hold once; empty: the program that mounts the page lets people in itself.
    `secret`: the key of the cookie. `hosts`: allowed names in `Host`, without a port; `*` allows all.
    """

    def __init__(self, app: ASGIApp, *, token: str, secret: bytes, hosts: Iterable[str]) -> None:
        self._app, self._token, self._hosts = app, token, frozenset(hosts)
        self._pass = hmac.new(secret, b"asst web", hashlib.sha256).hexdigest()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # the page uses no WebSocket
            raise RuntimeError(scope["type"])
        headers = Headers(scope=scope)
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await refusal(scope, receive, _with_headers(send))
            return
        await self._app(scope, _bounded(receive), _with_headers(send))

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        host = _host_name(headers.get("host", ""))
        if "*" not in self._hosts and host not in self._hosts:
            return _refuse(400, f"This address isn't one of ours: {host!r}.")
        if _length(headers) > MAX_BODY:
            return _refuse(413, f"The request is longer than {MAX_BODY // 1_000_000} MB.")
        if self._token and (given := _token_of(scope)):
            if not hmac.compare_digest(given.encode(), self._token.encode()):
                return _refuse(
                    403, "The token in the address is not that of this server. Use the address that asst web printed."
                )
            return self._enter(scope, headers)
        if self._token and not self._has_cookie(headers):
            return _refuse(401, "Open the address with the token that asst web printed.")
        if scope["method"] not in ("GET", "HEAD"):
            return _foreign(scope, headers)
        return None

    def _enter(self, scope: Scope, headers: Headers) -> Response:
        # Not a redirect: a Strict cookie isn't sent to the second address if another site's link led to the first.
        answer = HTMLResponse(_ENTER.format(path=scope.get("root_path", "") + "/"))
        answer.set_cookie(
            _cookie_name(headers), self._pass, httponly=True, samesite="strict", secure=scope.get("scheme") == "https"
        )
        return answer

    def _has_cookie(self, headers: Headers) -> bool:
        cookies: SimpleCookie = SimpleCookie()
        try:
            cookies.load(headers.get("cookie", ""))
        except CookieError:
            return False
        found = cookies.get(_cookie_name(headers))
        return found is not None and hmac.compare_digest(found.value.encode(), self._pass.encode())


def _cookie_name(headers: Headers) -> str:
    """One for each port: cookies know no ports, and two servers on this machine must not take each other's."""
    port = headers.get("host", "").rpartition(":")[2]
    return f"asst-{port}" if port.isdigit() else "asst"


def _token_of(scope: Scope) -> str:
    query: bytes = scope.get("query_string", b"")
    return parse_qs(query.decode("ascii", "replace")).get("token", [""])[0]


def _host_name(host: str) -> str:
    """The name without its port; empty if it isn't a name that a browser sends."""
    found = _HOST.fullmatch(host)
    return found[1].strip("[]").lower() if found else ""


def _length(headers: Headers) -> int:
    length = headers.get("content-length", "")
    return int(length) if length.isdecimal() and len(length) < 20 else 0


def _foreign(scope: Scope, headers: Headers) -> Response | None:
    """Why a request that changes something isn't from our page; None if it is."""
    own = f"{scope.get('scheme', 'http')}://{headers.get('host', '')}"
    if headers.get("origin") != own or headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return _refuse(403, "This request came from another page.")
    if HEADER not in headers:
        return _refuse(403, "This request didn't come from the page of asst.")
    return None


def _refuse(status: int, words: str) -> Response:
    return JSONResponse({"error": words}, status)


def _bounded(receive: Receive) -> Receive:
    seen = 0

    async def bounded() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > MAX_BODY:  # it announced no length, or a false one
            return {"type": "http.disconnect"}
        return message

    return bounded


def _with_headers(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
            headers.setdefault("cache-control", "no-store")
        await send(message)

    return send_with_headers
