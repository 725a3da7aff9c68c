"""Reading a file that a person has named: once, whole, never without end."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import re
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

from ..config.paths import expand_home
from ..core.attachment import AttachedFile, Attachment, readable_size
from ..core.errors import UsageError
from .media_type import HEAD, TEXT_LIMIT, media_type, what_it_is
from .pdf_pages import MOST, count_pages

__all__ = ["LIMIT", "Receiver", "from_bytes", "read", "read_stdin"]

LIMIT = 2 * 1000**3
"""Bytes of a file: the most that any API takes (Gemini's Files API, https://ai.google.dev/gemini-api/docs/files)."""
IN_MEMORY = 64 * 1024 * 1024
"""Bytes of a file that are kept in memory until it is sent; a larger one is in a nameless temporary file."""
PIECE = 1 << 20
_SCHEME = re.compile(r"([a-z][a-z\d+.-]+)://", re.IGNORECASE)
NAME = 200
"""Characters of a file's name that are kept."""


class Receiver:
    """Takes the bytes of a file piece by piece. `name` is for the person; `limit` is in bytes."""

    def __init__(self, name: str, limit: int = LIMIT) -> None:
        self.name, self.size = " ".join(name.split())[:NAME] or "file", 0
        self._limit, self._hash = limit, hashlib.sha256()
        self._file: IO[bytes] = io.BytesIO()

    def take(self, piece: bytes) -> None:
        """Take the next bytes.

        Raises:
            UsageError: that is more than the limit.
        """
        self.size += len(piece)
        if self.size > self._limit:
            raise too_large(self.name, f"more than {readable_size(self._limit)}")
        self._hash.update(piece)
        if self.size > IN_MEMORY and isinstance(self._file, io.BytesIO):
            on_disk = tempfile.TemporaryFile()  # noqa: SIM115 - the conversation reads it
            on_disk.write(self._file.getbuffer())
            self._file = on_disk
        self._file.write(piece)

    def expect(self, size: str) -> None:
        """Take note of how many bytes a sender announces; anything that isn't a number is ignored.

        Raises:
            UsageError: that is more than the limit.
        """
        if size.isascii() and size.isdecimal() and int(size[:20]) > self._limit:
            raise too_large(self.name, f"more than {readable_size(self._limit)}")

    def finish(self) -> AttachedFile:
        """The whole file.

        Raises:
            UsageError: it is empty, or of a type that no assistant reads.
        """
        if not self.size:
            raise UsageError(f"{self.name} is empty.", "Attach a file with something in it.")
        content = self._file
        content.seek(0)
        # A text may differ from one only in its last byte, so all of it is looked at, if it can be one.
        data = content.read(TEXT_LIMIT if self.size <= TEXT_LIMIT else HEAD)
        kind = media_type(data, whole=len(data) == self.size)
        if not kind and self.size > TEXT_LIMIT and b"\0" not in data:
            raise too_large(self.name, f"{readable_size(self.size)} of text; the limit is {readable_size(TEXT_LIMIT)}")
        if not kind:
            raise UsageError(
                f"{self.name} can't be attached: it is {what_it_is(data)}, not an image, PDF, audio, video or text in UTF-8.",
                "Convert it first.",
            )
        pages = 0
        if kind == "application/pdf":
            content.seek(0)
            pages = count_pages(content.read(MOST))
        content.seek(0)
        return AttachedFile(Attachment(self._hash.hexdigest(), kind, self.name, self.size, pages), content)


def from_bytes(data: bytes, name: str = "") -> AttachedFile:
    """Bytes as an attachment.

    Raises:
        UsageError: see `Receiver`.
    """
    receiver = Receiver(name or "attachment")
    receiver.take(data)
    return receiver.finish()


def read(source: str | Path) -> AttachedFile:
    """The file with this path.

    Raises:
        UsageError: it is missing, can't be read, is not a file, changes while it is read; or see `Receiver`.
    """
    if not str(source).strip():
        raise UsageError("The name of a file is empty.", "Name a file to attach.")
    if scheme := _SCHEME.match(str(source)):
        hint = "Name its path." if scheme[1].lower() == "file" else "Download it, and attach the file."
        raise UsageError(f"{source} can't be attached: only http and https addresses are fetched.", hint)
    path = expand_home(str(source))
    try:
        # Not blocking: opening a pipe waits until somebody writes into it.
        fd = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except OSError as error:
        raise _unreadable(path, error) from None
    before = os.fstat(fd)
    if not stat.S_ISREG(before.st_mode):
        os.close(fd)
        raise _not_a_file(path, before.st_mode)
    with os.fdopen(fd, "rb", buffering=0) as file:
        if before.st_size > LIMIT:
            raise too_large(str(path), f"{readable_size(before.st_size)}; the most that any provider takes is 2 GB")
        receiver = Receiver(path.name)
        try:
            _read_all(lambda: file.read(PIECE), receiver)
        except OSError as error:
            raise _unreadable(path, error) from None
        after = os.fstat(fd)
    # Files of /proc have a size of 0 and something in them.
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or (
        before.st_size and receiver.size != before.st_size
    ):
        raise UsageError(f"{path} changed while it was read.", "Try again when it is complete.")
    return receiver.finish()


def read_stdin(fd: int) -> AttachedFile:
    """What arrives on this descriptor, to its end.

    Raises:
        UsageError: it is a terminal, or can't be read; or see `Receiver`.
    """
    if os.isatty(fd):
        raise UsageError(
            "-a - reads the file from stdin, and stdin is a terminal.", "Pipe the file in, or name it: -a PATH"
        )
    receiver = Receiver("stdin")
    try:
        _read_all(lambda: os.read(fd, PIECE), receiver)
    except OSError as error:
        raise UsageError(f"Stdin can't be read: {error.strerror}.", "Name the file: -a PATH") from None
    return receiver.finish()


def too_large(name: str, how: str) -> UsageError:
    """The error for a file that has too many bytes."""
    return UsageError(f"{name} is too large: {how}.", "Send a part of it.")


def _read_all(next_piece: Callable[[], bytes | None], receiver: Receiver) -> None:
    while piece := next_piece():
        receiver.take(piece)


def _unreadable(path: Path, error: OSError) -> UsageError:
    if error.errno == errno.EISDIR:  # Windows and some file systems refuse to open a folder
        return _not_a_file(path, stat.S_IFDIR)
    if error.errno == errno.ENXIO:  # how Unix refuses to open a socket
        return _not_a_file(path, stat.S_IFSOCK)
    return UsageError(f"{path} can't be read: {error.strerror or error}.", "Check the path.")


def _not_a_file(path: Path, mode: int) -> UsageError:
    if stat.S_ISDIR(mode):
        return UsageError(f"{path} is a folder.", "Attach its files one by one.")
    if stat.S_ISFIFO(mode):
        return UsageError(f"{path} is a pipe.", "Pipe the file into stdin, and attach -")
    return UsageError(f"{path} is a device or a socket, not a file.", "Name a file.")
