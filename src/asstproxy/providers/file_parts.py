"""Files as parts of a message: as Chat Completions takes them, and as Anthropic's Messages do."""

from __future__ import annotations

import time
from typing import IO, Any

from ..core.attachment import Attachment, Upload
from .attachments import MB, AttachmentFormat, SentFile
from .fields import get_text
from .transport import JSON

__all__ = ["CHAT", "CLAUDE", "chat_part", "claude_part", "joined_content"]

PICTURES, SOUNDS = ("image/png", "image/jpeg", "image/webp", "image/gif"), {"audio/wav": "wav", "audio/mpeg": "mp3"}
CHAT_READS = dict.fromkeys((*PICTURES, "application/pdf", *SOUNDS), 20 * MB)
"""Our own limit: servers differ, and few state theirs."""
CLAUDE_READS = dict.fromkeys(PICTURES, 5 * 2**20 * 3 // 4) | {"application/pdf": 32 * MB}
"""5 MB as base64 (https://platform.claude.com/docs/en/build-with-claude/vision, …/pdf-support)."""
KEPT = 48 * 3600
"""Seconds; Anthropic's API takes an hour to 90 days."""


def chat_part(file: SentFile) -> JSON:
    """A file as a part of a message of Chat Completions."""
    if file.attachment.kind == "image":
        return {"type": "image_url", "image_url": {"url": file.url}}
    if (sound := SOUNDS.get(file.attachment.media_type)) is not None:
        return {"type": "input_audio", "input_audio": {"data": file.data, "format": sound}}
    return {"type": "file", "file": {"filename": file.attachment.name, "file_data": file.url}}


def joined_content(before: str | list[JSON], files: list[JSON], text: str) -> str | list[JSON]:
    """A message after one that came `before`: as text, which every server understands, unless there are files."""
    if isinstance(before, str) and not files:
        return "\n\n".join(filter(None, [before, text]))
    earlier = [{"type": "text", "text": before}] * bool(before) if isinstance(before, str) else before
    return [*earlier, *files, *[{"type": "text", "text": text}] * bool(text)]


def claude_part(file: SentFile) -> JSON:
    """A file as a block of a message of Anthropic's."""
    source = {"type": "file", "file_id": file.reference}
    if not file.reference:
        source = {"type": "base64", "media_type": file.attachment.media_type, "data": file.data}
    return {"type": "image" if file.attachment.kind == "image" else "document", "source": source}


async def upload_to_claude(transport: Any, attachment: Attachment, content: IO[bytes]) -> Upload:
    """Copy a file to Anthropic, for two days (https://platform.claude.com/docs/en/build-with-claude/files)."""
    file = {"file": (attachment.name, content, attachment.media_type)}
    _, made = await transport.upload("/files", {}, data={"expires_in_seconds": str(KEPT)}, files=file)
    return Upload(get_text(made, "id"), time.time() + KEPT - 600)


CHAT = AttachmentFormat(CHAT_READS, chat_part, inline=40 * MB)
CLAUDE = AttachmentFormat(CLAUDE_READS, claude_part, inline=22 * MB, upload=upload_to_claude)
