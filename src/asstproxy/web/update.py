"""What a viewer of a session is sent: Server-Sent Events."""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..core.codec import encode
from ..core.events import Record

if TYPE_CHECKING:
    from .blocks import Block

__all__ = ["ALIVE", "Update", "to_json"]

ALIVE = b"event: alive\ndata: {}\n\n"
"""A sign of life: an event, because a script never sees a comment of the stream."""


class Update:
    """What is new for a viewer: records, finished blocks, and the status if it has changed.

    Viewers who have seen as much get the same update, so it is written once for all of them.
    """

    def __init__(self, records: list[Record], blocks: list[Block], status: dict[str, Any] | None) -> None:
        self.records, self.blocks, self.status = records, blocks, status

    @cached_property
    def events(self) -> bytes:
        """As Server-Sent Events, one for each kind of news; the records carry their number, from which a viewer goes on.

        Blocks come first: when the records that need them are drawn, they are there.
        """
        parts = []
        if self.status is not None:
            parts.append(b"event: status\ndata: " + to_json(self.status) + b"\n\n")
        if self.blocks:
            parts.append(b"event: blocks\ndata: " + to_json(self.blocks) + b"\n\n")
        if self.records:
            data = b",".join(map(encode, self.records))
            parts.append(b"id: %d\nevent: records\ndata: [" % self.records[-1].seq + data + b"]\n\n")
        return b"".join(parts)


def to_json(value: Any) -> bytes:
    """JSON on one line, in ASCII: U+2028 ends no line in it."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode()
