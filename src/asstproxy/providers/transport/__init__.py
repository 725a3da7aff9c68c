"""Transports: how a provider's JSON travels. A provider never sees HTTP, and a transport never sees an event of ours."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any, Protocol

__all__ = ["JSON", "Transport"]

JSON = dict[str, Any]
"""An object of an API, as it is on the wire."""


class Transport(Protocol):
    """Requests to one provider's API. `path` is relative to the API's base URL and may carry a query.

    Failures are raised as `AssistantError`, with the API's own words where it gave any and never with a key.
    """

    async def call(self, method: str, path: str, body: JSON | None = None) -> JSON:
        """Send a request; the object that came back."""

    def events(self, method: str, path: str, body: JSON | None = None) -> AsyncGenerator[list[JSON]]:
        """Send a request; the API's own events (objects of its SSE stream) as they come, those that came together in one list.

        It ends when the stream does, also when that was cut: demanding a terminal event is the provider's part. Whoever
        stops reading early closes it (`contextlib.aclosing`), which closes the connection.
        """

    async def aclose(self) -> None:
        """Close every connection."""
