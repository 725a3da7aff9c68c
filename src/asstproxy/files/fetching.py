"""Fetching a file from the web, because a person has named its address.

Any address is allowed, also one of this machine or of the local network: only the person names it, and no answer of a model and
no result of a tool is ever taken for one. What the server says of the file's type doesn't count.
"""

from __future__ import annotations

import asyncio
import contextlib
import posixpath
from collections.abc import AsyncIterator
from urllib.parse import unquote, urljoin, urlsplit

import httpx2

from ..core.attachment import AttachedFile
from ..core.errors import UsageError
from ..core.redact import public_url
from .reading import Receiver

__all__ = ["fetch"]

LIMIT = 500 * 1000**2
"""Bytes of a file that is fetched."""
WITHIN = 300.0
"""Seconds for the whole file, all redirects included: a server that sends a byte a minute never ends."""
SILENCE = 30.0
"""Seconds to wait for a connection, and for the next bytes."""
REDIRECTS = 5


async def fetch(address: str, *, limit: int = LIMIT, within: float = WITHIN) -> AttachedFile:
    """The file at this address; at most `limit` bytes, within so many seconds.

    Raises:
        UsageError: it can't be fetched, or see `Receiver`.
    """
    shown = public_url(address)
    try:
        async with asyncio.timeout(within), _client() as client:
            return await _follow(client, address, limit)
    except TimeoutError:
        raise UsageError(
            f"{shown} did not arrive within {within:.0f} seconds.", "Download it, and attach the file."
        ) from None
    except (httpx2.RemoteProtocolError, httpx2.ReadError):
        raise UsageError(f"{shown} can't be fetched: the server broke the connection off.", "Try again.") from None
    except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, ValueError) as error:
        reason = str(error).rstrip(".") or type(error).__name__
        raise UsageError(f"{shown} can't be fetched: {reason}.", "Check the address.") from None


@contextlib.asynccontextmanager
async def _client() -> AsyncIterator[httpx2.AsyncClient]:
    headers = {"User-Agent": "asst", "Accept": "*/*"}
    async with httpx2.AsyncClient(headers=headers, timeout=SILENCE) as client:  # with the environment's proxies
        yield client


async def _follow(client: httpx2.AsyncClient, address: str, limit: int) -> AttachedFile:
    for _ in range(REDIRECTS + 1):
        _require_server(address)
        async with client.stream("GET", address) as response:
            if response.has_redirect_location:
                address = _next(address, response.headers["location"])
                continue
            if not response.is_success:
                raise UsageError(
                    f"{public_url(address)} can't be fetched: HTTP {response.status_code} {response.reason_phrase}".rstrip()
                    + ".",
                    "Check the address.",
                )
            receiver = Receiver(_name(address), limit)
            receiver.expect(response.headers.get("content-length", ""))
            async with contextlib.aclosing(response.aiter_bytes()) as pieces:
                async for piece in pieces:
                    receiver.take(piece)
            return receiver.finish()
    raise UsageError(f"{public_url(address)} can't be fetched: more than {REDIRECTS} redirects.", "Check the address.")


def _require_server(address: str) -> None:
    """Check what the HTTP client would only notice when it connects.

    Raises:
        ValueError: the address names no server, or its port can't be one.
    """
    parts = urlsplit(address)
    if not parts.hostname:
        raise ValueError("it names no server")
    parts.port  # noqa: B018 - to read it is to check it


def _next(address: str, location: str) -> str:
    """Where a redirect leads.

    Raises:
        UsageError: not to an address of the web.
    """
    target = urljoin(address, location)
    if urlsplit(target).scheme not in ("http", "https"):
        raise UsageError(
            f"{public_url(address)} can't be fetched: it redirects to something other than http or https.",
            "Check the address.",
        )
    return target


def _name(address: str) -> str:
    parts = urlsplit(address)
    return posixpath.basename(unquote(parts.path)) or parts.hostname or "file"
