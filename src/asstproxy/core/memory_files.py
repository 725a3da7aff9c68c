"""The attachments of a conversation that is not saved."""

from __future__ import annotations

import io
from typing import IO

from .attachment import AttachedFile, Attachment, Upload

__all__ = ["MemoryFiles"]


class MemoryFiles:
    """An `AttachmentStore` that is gone with the program."""

    def __init__(self) -> None:
        self._bytes: dict[str, bytes] = {}
        self._uploads: dict[tuple[str, str], Upload] = {}

    def keep(self, file: AttachedFile) -> None:
        """See `AttachmentStore`."""
        if file.attachment.sha256 not in self._bytes:
            file.content.seek(0)
            self._bytes[file.attachment.sha256] = file.content.read()

    def open(self, attachment: Attachment) -> IO[bytes]:
        """See `AttachmentStore`."""
        if attachment.sha256 not in self._bytes:
            raise FileNotFoundError(attachment.name)
        return io.BytesIO(self._bytes[attachment.sha256])

    def upload(self, attachment: Attachment, place: str) -> Upload | None:
        """See `AttachmentStore`."""
        return self._uploads.get((attachment.sha256, place))

    def remember_upload(self, attachment: Attachment, place: str, upload: Upload | None) -> None:
        """See `AttachmentStore`."""
        if upload is None:
            self._uploads.pop((attachment.sha256, place), None)
        else:
            self._uploads[attachment.sha256, place] = upload
