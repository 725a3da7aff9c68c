"""What travels between a handler and the socket: a request that was read, a reply that is to be written."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

Json = dict[str, Any]
How = Literal["eof", "reset"]
"""How a connection breaks: a FIN in the middle of a body, or a TCP reset."""

Body = bytes | Sequence[bytes | float] | AsyncIterator[bytes]
"""Bytes go out with a Content-Length; pieces are chunked, and a number between them is a pause in seconds."""


@dataclass(frozen=True)
class Request:
    """One request, as the client sent it; header names are in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""

    @cached_property
    def json(self) -> Any:
        """The JSON body, or an empty object when there is none."""
        return json.loads(self.body) if self.body else {}

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class Severed(Exception):  # noqa: N818 - an order to the connection, not an error
    """Raised by a body: the connection ends here, in this way."""

    def __init__(self, how: How) -> None:
        super().__init__(how)
        self.how = how


@dataclass(frozen=True)
class Reply:
    """A status line, headers, and a body that knows how to produce its pieces."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Body = b""
    length: int | None = None
    """Content-Length of a body in pieces; without one it is chunked."""
    hold: float = 0.0
    """Seconds of silence before the status line."""
    sever: How | None = None
    """End the connection instead of sending the status line."""
    vanish: bool = False
    """Close the connection after the answer without having announced it."""
    on_disconnect: Callable[[], None] | None = None
    """Called when the connection ends before the last byte, by whoever's fault."""

    @classmethod
    def json(cls, value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
        """A JSON document, UTF-8 and not escaped, as the vendors send it."""
        return cls(status, {"content-type": "application/json", **(headers or {})}, dumps(value))

    @property
    def content_length(self) -> int | None:
        """The length to announce, or None for a chunked body."""
        return len(self.body) if isinstance(self.body, bytes) else self.length

    @property
    def streams(self) -> bool:
        """Whether the body is a stream of events."""
        return not isinstance(self.body, bytes)

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body, one piece after the other."""
        if isinstance(self.body, bytes):
            yield self.body
        elif isinstance(self.body, Sequence):
            for piece in self.body:
                if isinstance(piece, bytes):
                    yield piece
                else:
                    await asyncio.sleep(piece)
        else:
            async for piece in self.body:
                yield piece

    def through(
        self, change: Callable[[AsyncIterator[bytes]], AsyncIterator[bytes]], *, same_length: bool = False
    ) -> Reply:
        """The same reply, its pieces changed on their way; `same_length` keeps the announced length, true or not."""
        return replace(self, body=change(self.pieces()), length=self.content_length if same_length else None)


class ApiError(Exception):
    """A refusal; the server writes it in its vendor's own shape."""

    def __init__(
        self,
        status: int,
        message: str | None = None,
        *,
        code: str | None = None,
        param: str | None = None,
        retry_after: float | None = None,
        details: Sequence[Json] = (),
    ) -> None:
        super().__init__(status, message, code)
        self.status, self.message, self.code, self.param = status, message, code, param
        self.retry_after, self.details = retry_after, details


Handler = Callable[[Request], Awaitable[Reply]]


def dumps(value: Any) -> bytes:
    """Compact JSON in UTF-8, so that a string always starts after `":"` and is never escaped to ASCII."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
