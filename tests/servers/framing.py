"""Other ways to write the same SSE frame: legal ones that a reader must accept, and broken ones."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Literal, get_args

LegalFramings = Literal["cr", "crlf", "no_space", "comments", "multiline", "bom", "no_event_line", "extra_fields"]
BrokenFramings = Literal["no_data_prefix", "no_last_blank"]
Framings = LegalFramings | BrokenFramings

LEGAL_FRAMINGS: tuple[LegalFramings, ...] = get_args(LegalFramings)
BROKEN_FRAMINGS: tuple[BrokenFramings, ...] = get_args(BrokenFramings)


async def reframe(pieces: AsyncIterator[bytes], kind: Framings) -> AsyncIterator[bytes]:
    """Every frame in another dress."""
    held: bytes | None = None
    first = True
    async for piece in pieces:
        dressed = _dress(piece, kind)
        if kind == "bom" and first:
            dressed = b"\xef\xbb\xbf" + dressed
        first = False
        if kind != "no_last_blank":
            yield dressed
            continue
        # Only the last frame lacks its blank line, so each waits for its successor.
        if held is not None:
            yield held
        held = dressed
    if held is not None:
        yield held.rstrip(b"\n") + b"\n"


def _dress(piece: bytes, kind: Framings) -> bytes:
    lines = piece.replace(b"\r\n", b"\n").rstrip(b"\n").split(b"\n")
    newline = {"cr": b"\r", "crlf": b"\r\n"}.get(kind, b"\n")
    if kind == "no_event_line":
        lines = [line for line in lines if not line.startswith(b"event:")]
    elif kind == "comments":
        lines = [b": keep-alive", *lines, b":"]
    elif kind == "extra_fields":
        lines = [b"id: 7", b"retry: 10", b"colour: blue", b"lonely", *lines]
    dressed = [new for line in lines for new in _dress_line(line, kind)]
    return newline.join([*dressed, b"", b""])


def _dress_line(line: bytes, kind: Framings) -> list[bytes]:
    if not line.startswith(b"data: "):
        return [line]
    data = line[6:]
    match kind:
        case "no_space":
            return [b"data:" + data]
        case "no_data_prefix":
            return [data]
        case "multiline" if data.startswith(b"{"):
            pretty = json.dumps(json.loads(data), ensure_ascii=False, indent=1)
            return [b"data: " + part.encode() for part in pretty.split("\n")]
        case _:
            return [line]
