"""Attachments for Google's two APIs, and copies of them in the Files API, which Google keeps for two days.

Sources: https://ai.google.dev/gemini-api/docs/file-input-methods, …/docs/files, …/api/files.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import IO

from ...core.attachment import Attachment, Upload
from ...core.errors import AssistantError
from ..attachments import MB, AttachmentFormat, SentFile
from ..fields import get_object, get_text
from ..transport import JSON
from ..transport.http import HttpTransport

__all__ = ["GENERATE", "INTERACTIONS", "send_file"]

KEPT = 47 * 3600
"""Seconds that a copy is used: Google deletes it after 48 hours."""
READY_WITHIN = 300.0
"""Seconds to wait for Google to take a video in."""
LOOK = 2.0
"""Seconds between two looks."""
INLINE = 14 * MB
"""A request may have 20 MB in all, and base64 makes a file larger by a third."""
LARGEST = (
    dict.fromkeys(("image/png", "image/jpeg", "image/webp", "image/heic"), 2000 * MB)
    | {"application/pdf": 50 * MB}
    | dict.fromkeys(("audio/wav", "audio/mpeg", "audio/aiff", "audio/aac", "audio/ogg", "audio/flac"), 2000 * MB)
    | dict.fromkeys(("video/mp4", "video/mpeg", "video/quicktime", "video/x-msvideo", "video/x-flv"), 2000 * MB)
    | dict.fromkeys(("video/webm", "video/3gpp"), 2000 * MB)
)
_NAMES = {"audio/mpeg": "audio/mp3", "video/x-msvideo": "video/avi", "video/quicktime": "video/mov"}
"""Google's own names of types."""


def generate_part(file: SentFile) -> JSON:
    """A file as part of a content of generateContent."""
    kind = _kind(file.attachment)
    if file.reference:
        return {"fileData": {"mimeType": kind, "fileUri": file.reference}}
    return {"inlineData": {"mimeType": kind, "data": file.data}}


def interactions_part(file: SentFile) -> JSON:
    """A file as content of an interaction."""
    sent = {"uri": file.reference} if file.reference else {"data": file.data}
    name = "document" if file.attachment.kind == "PDF" else file.attachment.kind
    return {"type": name, "mime_type": _kind(file.attachment), **sent}


def _kind(attachment: Attachment) -> str:
    return _NAMES.get(attachment.media_type, attachment.media_type)


async def upload(transport: HttpTransport, attachment: Attachment, content: IO[bytes]) -> Upload:
    """Copy a file to Google, and wait until it can be used.

    Raises:
        AssistantError: the server can't be reached, refuses, or can't read the file.
    """
    file = await send_file(transport, attachment.name, _kind(attachment), attachment.size, content)
    uri = get_text(file, "uri")
    try:
        async with asyncio.timeout(READY_WITHIN):
            while get_text(file, "state") == "PROCESSING":
                await asyncio.sleep(LOOK)
                file = await transport.call("GET", f"/{get_text(file, 'name')}")
    except TimeoutError:
        raise AssistantError("timeout", f"Google still processes {attachment.name}.", "Try again later.") from None
    if get_text(file, "state") == "FAILED" or not uri:
        raise AssistantError("invalid_request", f"Google can't read {attachment.name}.", "Convert it first.")
    return Upload(uri, time.time() + KEPT)


async def send_file(transport: HttpTransport, name: str, media_type: str, size: int, content: IO[bytes]) -> JSON:
    """Copy `size` bytes to the Files API; what it says of the file.

    Raises:
        AssistantError: the server can't be reached, or refuses.
    """
    root, _, version = transport.address.rpartition("/")
    start = {
        "X-Goog-Upload-Protocol": "resumable",
        "X-Goog-Upload-Command": "start",
        "X-Goog-Upload-Header-Content-Length": str(size),
        "X-Goog-Upload-Header-Content-Type": media_type,
    }
    named = {"file": {"display_name": name}}
    headers, _ = await transport.upload(f"{root}/upload/{version}/files", start, json=named)
    finish = {"X-Goog-Upload-Offset": "0", "X-Goog-Upload-Command": "upload, finalize", "Content-Length": str(size)}
    _, made = await transport.upload(headers.get("x-goog-upload-url", ""), finish, content=_pieces(content))
    return get_object(made, "file")


async def _pieces(content: IO[bytes]) -> AsyncIterator[bytes]:
    while piece := content.read(1 << 20):
        yield piece


GENERATE = AttachmentFormat(LARGEST, generate_part, inline=INLINE, upload=upload)
INTERACTIONS = AttachmentFormat(LARGEST, interactions_part, inline=INLINE, upload=upload)
