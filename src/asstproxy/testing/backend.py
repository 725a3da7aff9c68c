"""What a provider needs to be tested: an API whose model replies as a test wants it to. `HttpBackend` is most of one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ..provider import JSON, AssistantProxy, Kind

__all__ = [
    "Backend",
    "Calls",
    "CutOff",
    "ErrorInAnswer",
    "Failure",
    "Filtered",
    "Hang",
    "Length",
    "RateLimited",
    "ReceivedRequest",
    "Reply",
    "Signed",
    "Text",
]


@dataclass(frozen=True)
class Text:
    """A complete answer. A streaming API sends it in several pieces."""

    text: str


@dataclass(frozen=True)
class Calls:
    """The model calls functions: the name and the arguments of each, after some `text`."""

    calls: tuple[tuple[str, dict[str, Any]], ...]
    text: str = ""


@dataclass(frozen=True)
class Signed:
    """A reply with a signature, or anything opaque, that the API wants back unchanged while the same model goes on."""

    reply: Text | Calls
    signature: str


@dataclass(frozen=True)
class Length:
    """The answer stops because the model has reached its limit of output tokens."""

    text: str


@dataclass(frozen=True)
class Filtered:
    """The answer stops because the API's content filter does not let the rest through."""

    text: str


@dataclass(frozen=True)
class CutOff:
    """The answer breaks off after this text: its last event never comes.

    A stream ends quietly, as if it were complete. Without a stream, the connection closes in the middle of the reply. Where
    the API keeps the answer and a provider can fetch the rest, that must not work either.
    """

    text: str


@dataclass(frozen=True)
class ErrorInAnswer:
    """The answer begins with this text, then the API reports inside it that the server failed. The HTTP status is 200."""

    text: str


@dataclass(frozen=True)
class Failure:
    """The request fails before the first piece of an answer, as it does at this API for an error of this kind."""

    kind: Kind


@dataclass(frozen=True)
class RateLimited:
    """The request fails with an error of the kind `rate_limit`; the API asks to wait this many seconds."""

    retry_after: float


@dataclass(frozen=True)
class Hang:
    """The model sends this text, or nothing, and then falls silent. The connection stays open."""

    text: str = ""


Reply = Text | Calls | Signed | Length | Filtered | CutOff | ErrorInAnswer | Failure | RateLimited | Hang


@dataclass(frozen=True)
class ReceivedRequest:
    """A request for a reply of the model, as the API received it.

    `model` is the model that was asked, `body` the JSON of the request. `conversation` is what the model sees: all messages,
    calls and results in their order, as text that is not escaped. Leave it out if all of it is in `body`; an API that keeps
    the conversation adds what it knows.
    """

    model: str
    body: JSON
    conversation: str = ""

    @property
    def text(self) -> str:
        """What the model sees, as one text."""
        return self.conversation or json.dumps(self.body, ensure_ascii=False)


class Backend(Protocol):
    """The API that a provider talks to in its tests: usually a local server."""

    secret: str
    """The key that the proxies use; empty if they need none. Put it into error messages: it must not come out again."""

    def proxy(self) -> AssistantProxy:
        """Make another proxy with the same model. It shares nothing with earlier ones, as if another process had made it."""

    def will_reply(self, *replies: Reply) -> None:
        """Set the replies: one for each request, failures included, then the last one for every further request."""

    def received(self) -> Sequence[ReceivedRequest]:
        """All requests for a reply that have reached the model, oldest first. One that a `Failure` refused may be missing."""

    def active_requests(self) -> int:
        """The number of requests that the API still answers, and of replies that it makes in the background."""

    def open_connections(self) -> int:
        """The number of connections that nobody has closed."""
