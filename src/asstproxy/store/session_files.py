"""The attachments of a session on disk: `<ulid>.files/` next to the journal, one file for each SHA-256.

`uploads.json` in it says which copies are at a provider. The folder and everything in it is for the user only.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

import msgspec

from ..config.atomic import open_new, write_atomically
from ..config.paths import private_dir, sync_folder
from ..core.attachment import AttachedFile, Attachment, Upload
from ..core.events import Record, SetUserMessage

__all__ = ["SessionFiles", "attachments_of", "remove_orphans"]

PIECE = 1 << 20
LEFT = 3600.0
"""Seconds after which a folder without a journal belongs to no copy that is still being made."""
_HASH = re.compile(r"[0-9a-f]{64}")
_UPLOADS = "uploads.json"


class SessionFiles:
    """The `AttachmentStore` of the session with this journal; the folder is made when it is first needed."""

    def __init__(self, journal: Path) -> None:
        self.folder = journal.with_suffix(".files")

    def path(self, attachment: Attachment) -> Path:
        """Where its bytes are, if they are kept.

        Raises:
            FileNotFoundError: its hash is not one: a journal may come from anywhere.
        """
        if not _HASH.fullmatch(attachment.sha256):
            raise FileNotFoundError(attachment.name)
        return self.folder / attachment.sha256

    def keep(self, file: AttachedFile) -> None:
        """See `AttachmentStore`."""
        path = self.path(file.attachment)
        if path.exists():
            return
        file.content.seek(0)
        with self._new(path) as copy:
            while piece := file.content.read(PIECE):
                copy.write(piece)

    def keep_bytes(self, attachment: Attachment, data: bytes) -> bool:
        """Keep bytes that came with an import; False if they are not those of the attachment.

        Raises:
            OSError: they can't be written.
        """
        if not _HASH.fullmatch(attachment.sha256) or hashlib.sha256(data).hexdigest() != attachment.sha256:
            return False
        path = self.path(attachment)
        if not path.exists():
            with self._new(path) as copy:
                copy.write(data)
        return True

    @contextlib.contextmanager
    def _new(self, path: Path) -> Iterator[IO[bytes]]:
        """A new file that is whole, and on the disk, at the end of the block; or not there."""
        private_dir(self.folder)
        temporary = path.with_suffix(f".{os.getpid()}.tmp")
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
        try:
            with os.fdopen(open_new(temporary, os.O_WRONLY), "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
            sync_folder(self.folder)
        except OSError as error:
            error.filename = error.filename or str(path)  # a write does not say where
            raise
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink()

    def open(self, attachment: Attachment) -> IO[bytes]:
        """See `AttachmentStore`."""
        fd = os.open(self.path(attachment), os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0))
        return os.fdopen(fd, "rb")

    # ---- copies at providers -------------------------------------------------------------------------------------------

    def upload(self, attachment: Attachment, place: str) -> Upload | None:
        """See `AttachmentStore`."""
        return self._uploads().get(place, {}).get(attachment.sha256)

    def remember_upload(self, attachment: Attachment, place: str, upload: Upload | None) -> None:
        """See `AttachmentStore`; what can't be written is forgotten, and uploaded again another time."""
        uploads = self._uploads()
        at_place = uploads.setdefault(place, {})
        if upload is None:
            at_place.pop(attachment.sha256, None)
        else:
            at_place[attachment.sha256] = upload
        with contextlib.suppress(OSError):
            private_dir(self.folder)
            write_atomically(self.folder / _UPLOADS, msgspec.json.encode(uploads))

    def _uploads(self) -> dict[str, dict[str, Upload]]:
        try:
            data = (self.folder / _UPLOADS).read_bytes()
            found = msgspec.json.decode(data, type=dict[str, dict[str, Upload]])
        except (OSError, ValueError):
            return {}
        now = time.time()
        return {
            place: {sha: one for sha, one in kept.items() if not one.expires or one.expires > now}
            for place, kept in found.items()
        }

    # ---- the whole folder ----------------------------------------------------------------------------------------------

    def copy_to(self, other: SessionFiles, attachments: Iterable[Attachment]) -> None:
        """Give another session these attachments: as links to the same bytes, or as copies where the disk has no links.

        What is missing here is missing there.

        Raises:
            OSError: they can't be written.
        """
        for attachment in attachments:
            with contextlib.suppress(FileNotFoundError):
                source, target = self.path(attachment), other.path(attachment)
                if target.exists() or not source.is_file() or source.is_symlink():
                    continue
                private_dir(other.folder)
                try:
                    os.link(source, target)
                except OSError:
                    with self.open(attachment) as file, other._new(target) as copy:
                        while piece := file.read(PIECE):
                            copy.write(piece)
        if other.folder.exists() and (uploads := self._uploads()):
            write_atomically(other.folder / _UPLOADS, msgspec.json.encode(uploads))

    def files(self) -> list[Path]:
        """Every file in the folder."""
        try:
            return sorted(path for path in self.folder.iterdir() if not path.is_dir() or path.is_symlink())
        except (FileNotFoundError, NotADirectoryError):
            return []

    def remove(self) -> None:
        """Delete the folder.

        Raises:
            OSError: it can't be deleted.
        """
        for file in self.files():
            file.unlink()
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            self.folder.rmdir()


def remove_orphans(month: Path) -> None:
    """Delete the folders that killed copies left behind: those of no session, an hour old."""
    for folder in month.glob("*.files"):
        with contextlib.suppress(OSError):
            if not folder.with_suffix(".jsonl").exists() and time.time() - folder.lstat().st_mtime > LEFT:
                SessionFiles(folder.with_suffix(".jsonl")).remove()


def attachments_of(records: Iterable[Record]) -> list[Attachment]:
    """The attachments of a session, each once."""
    found: dict[str, Attachment] = {}
    for record in records:
        if isinstance(record.event, SetUserMessage):
            found |= {one.sha256: one for one in record.event.attachments if one.sha256 not in found}
    return list(found.values())
