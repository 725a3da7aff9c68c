"""What the bytes of an answer say, read in the plainest way: the events that came whole, and the pieces of text in them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

__all__ = ["PlainReading", "read_plainly"]


@dataclass(frozen=True)
class PlainReading:
    """`events` came whole; `text` is what they say; `over`: the last of them ends the answer."""

    events: int
    text: str
    over: bool


def read_plainly(body: bytes) -> PlainReading:
    """Reads a stream of any of the APIs, as far as it goes; the last event counts without its blank line."""
    lines = body.replace(b"\r\n", b"\n").replace(b"\r", b"\n")  # Google ends its lines with both; either ends one
    *frames, last = lines.split(b"\n\n")
    half = last.partition(b"data: ")[2].startswith(b"{")
    if _is_whole(last.rstrip(b"\n").partition(b"data: ")[2]):
        frames.append(last.rstrip(b"\n"))
        half = False
    events = [json.loads(data) for frame in frames if (data := frame.partition(b"data: ")[2]) != b"[DONE]"]
    return PlainReading(
        len(events),
        "".join(map(_text, events)),
        any(map(_ends, events)) or (any(map(_gives_reason, events)) and not half),
    )


def _is_whole(data: bytes) -> bool:
    try:
        return isinstance(json.loads(data), dict)
    except ValueError:
        return False


def _text(event: dict[str, Any]) -> str:
    if event.get("type") == "response.output_text.delta":
        return str(event["delta"])
    if event.get("object") == "thread.message.delta":
        return "".join(part["text"]["value"] for part in event["delta"]["content"])
    if event.get("event_type") == "step.delta" or event.get("type") == "content_block_delta":
        return str(event["delta"].get("text", ""))
    if "choices" in event:  # Chat Completions
        return "".join(choice["delta"].get("content") or "" for choice in event["choices"])
    parts = [part for one in event.get("candidates", ()) for part in one.get("content", {}).get("parts", ())]
    return "".join(part.get("text", "") for part in parts)


def _ends(event: dict[str, Any]) -> bool:
    if event.get("object") == "thread.run":
        return bool(event["status"] == "completed")
    return any(last in event.values() for last in ("response.completed", "interaction.completed", "message_stop"))


def _gives_reason(event: dict[str, Any]) -> bool:
    """Whether it gives a reason to end: one that is followed by the half of an event did not end the answer."""
    finished = any("finishReason" in one for one in event.get("candidates", ()))
    return (
        finished
        or event.get("type") == "message_delta"
        or any(choice["finish_reason"] for choice in event.get("choices", ()))
    )
