"""Attachments for the Responses protocol, and copies of them in OpenAI's store of files.

Sources: https://developers.openai.com/api/docs/guides/images-vision, …/guides/pdf-files, …/api-reference/files.
"""

from __future__ import annotations

import time
from typing import IO

from ...core.attachment import Attachment, Upload
from ..attachments import MB, AttachmentFormat, SentFile
from ..fields import get_text
from ..transport import JSON
from ..transport.http import HttpTransport

__all__ = ["IMAGES", "RESPONSES", "responses_part"]

KEPT = 48 * 3600
"""Seconds that OpenAI keeps a copy: long enough for a conversation. Its own limits are an hour and 30 days."""
MARGIN = 600
"""Seconds before its end from which a copy is not used any more."""
IMAGES = ("image/png", "image/jpeg", "image/webp", "image/gif")


def responses_part(file: SentFile) -> JSON:
    """A file as part of a message."""
    if file.attachment.kind == "image":
        where = {"file_id": file.reference} if file.reference else {"image_url": file.url}
        return {"type": "input_image", "detail": "auto", **where}
    if file.reference:
        return {"type": "input_file", "file_id": file.reference}
    return {"type": "input_file", "filename": file.attachment.name, "file_data": file.url}


async def upload(transport: HttpTransport, attachment: Attachment, content: IO[bytes]) -> Upload:
    """Copy a file to OpenAI, for two days.

    Raises:
        AssistantError: the server can't be reached, or refuses.
    """
    fields = {"purpose": "user_data", "expires_after[anchor]": "created_at", "expires_after[seconds]": str(KEPT)}
    file = {"file": (attachment.name, content, attachment.media_type)}
    _, made = await transport.upload("/files", {}, data=fields, files=file)
    return Upload(get_text(made, "id"), time.time() + KEPT - MARGIN)


RESPONSES = AttachmentFormat(
    dict.fromkeys(IMAGES, 50 * MB) | {"application/pdf": 50 * MB}, responses_part, inline=50 * MB, upload=upload
)
"""PDF files: 50 MB each and in a request. Images: their sum may be ten times as much; 50 MB are more than any picture needs."""
