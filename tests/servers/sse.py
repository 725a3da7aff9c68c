"""Server-Sent Events, written frame by frame: one frame is one piece of a body, which is what faults count."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

from .wire import Reply, dumps

HEADERS = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}
DONE = b"data: [DONE]\n\n"
DONE_EVENT = b"event: done\n" + DONE


def frame(data: Any, event: str | None = None, newline: str = "\n") -> bytes:
    """One event; `event` adds the line that names it."""
    name = f"event: {event}{newline}".encode() if event else b""
    return name + b"data: " + dumps(data) + newline.encode() * 2


def stream(frames: AsyncIterator[bytes], **reply: Any) -> Reply:
    """A reply that streams frames."""
    return Reply(200, HEADERS, frames, **reply)


def payload(piece: bytes) -> Any | None:
    """The JSON in a frame, or None (a comment, `[DONE]`)."""
    data = [line[5:].removeprefix(b" ") for line in piece.splitlines() if line.startswith(b"data:")]
    try:
        return json.loads(b"\n".join(data))
    except ValueError:
        return None
