"""Transports: how a provider's JSON travels. A provider never sees HTTP, and a transport never sees an event of ours."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any, Protocol, runtime_checkable

__all__ = ["CUT", "JSON", "SKIPPED", "StreamedReply", "Transport", "WarmsUp", "WholeReply"]

JSON = dict[str, Any]
"""An object of an API, as it is on the wire."""


SKIPPED = "asst.skipped"
"""The `type` of an event that stands for something in a stream other than a JSON object; `data` is a short text of it."""


CUT = "asst.cut"
"""The `type` of an event that stands for the beginning of one: the stream ended in the middle of it."""


class WholeReply(dict[str, Any]):
    """An object that is not an event, but the whole reply of a server that does not stream."""


class StreamedReply(dict[str, Any]):
    """Instead of an object, the `events` of a server that streams although it was not asked to."""

    def __init__(self, events: list[JSON]) -> None:
        super().__init__()
        self.events = events


class Transport(Protocol):
    """Requests to one provider's API. `path` is relative to the API's base URL and may carry a query.

    Failures are raised as `AssistantError`, with the API's own message where it gave one, and never with a key.
    """

    async def call(self, method: str, path: str, body: JSON | None = None) -> JSON:
        """Send a request, and return the object of the reply; a `StreamedReply` if the server streams."""

    def events(self, method: str, path: str, body: JSON | None = None) -> AsyncGenerator[list[JSON]]:
        """Send a request, and yield the API's events (the objects of its SSE stream) as they arrive; those that arrived
        together are in one list. A server that answers with one object instead gives a `WholeReply`.

        It ends when the stream does, even if the connection was cut: requiring a terminal event is the provider's part. Close it
        (`contextlib.aclosing`) to stop reading early, which closes the connection.
        """

    async def aclose(self) -> None:
        """Close every connection."""


@runtime_checkable
class WarmsUp(Protocol):
    """What a transport adds whose first request needs something that takes time to load."""

    def warm_up(self) -> None:
        """Load it now, perhaps in another thread, while the person writes."""
