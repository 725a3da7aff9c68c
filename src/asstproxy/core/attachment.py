"""Attachments: files that a person sends with a message.

A message carries what is known of a file (`Attachment`), never its bytes: those are in an `AttachmentStore`, under their SHA-256.
Nothing here reads a file that a person has not named.
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping, Sequence
from typing import IO, Literal, Protocol

import msgspec

from .errors import UsageError

__all__ = [
    "AttachedFile",
    "Attachment",
    "AttachmentStore",
    "Kind",
    "Upload",
    "check_accepted",
    "decode_text",
    "is_accepted",
    "readable_size",
    "with_text_files",
]

Kind = Literal["image", "PDF", "audio", "video", "text", "file"]

_PLURALS: dict[Kind, str] = {
    "image": "images",
    "PDF": "PDF files",
    "audio": "audio files",
    "video": "videos",
    "text": "text files",
    "file": "such files",
}
_UNITS = ((1000**3, "GB"), (1000**2, "MB"), (1000, "kB"))


class Attachment(msgspec.Struct, frozen=True, omit_defaults=True):
    """A file that a message carries.

    `sha256` (hexadecimal) is that of its bytes, `media_type` what they are, `name` the file's name without a folder, `size` their
    number, `pages` those of a PDF (0: unknown, or not a PDF).
    """

    sha256: str
    media_type: str
    name: str
    size: int
    pages: int = 0

    @property
    def kind(self) -> Kind:
        """What it is, for a person."""
        if self.media_type == "application/pdf":
            return "PDF"
        match self.media_type.partition("/")[0]:
            case "image" | "audio" | "video" | "text" as kind:
                return kind
            case _:
                return "file"

    @property
    def label(self) -> str:
        """One line for a person: `spec.pdf · 14 pages · 1.1 MB`."""
        pages = f"{self.pages} page{'s' if self.pages != 1 else ''}" if self.pages else self.kind
        return f"{self.name} · {pages} · {readable_size(self.size)}"


class AttachedFile(msgspec.Struct, frozen=True):
    """A file that was read, for a message that is about to be sent. `content` is open for reading and can be rewound."""

    attachment: Attachment
    content: IO[bytes]


class Upload(msgspec.Struct, frozen=True):
    """A copy of a file at a provider: the id or address by which its API knows it, and when it expires (seconds since 1970)."""

    reference: str
    expires: float = 0.0


class AttachmentStore(Protocol):
    """Keeps the bytes of a conversation's attachments, and remembers which copies providers have."""

    def keep(self, file: AttachedFile) -> None:
        """Keep the bytes of a file; it is safe on the disk when this returns. Does nothing if they are kept already.

        Raises:
            OSError: it can't be written.
        """

    def open(self, attachment: Attachment) -> IO[bytes]:
        """The bytes, open for reading.

        Raises:
            OSError: they are missing, or can't be read.
        """

    def upload(self, attachment: Attachment, place: str) -> Upload | None:
        """The copy at this place (an account with a provider's API); None if there is none that is known."""

    def remember_upload(self, attachment: Attachment, place: str, upload: Upload | None) -> None:
        """Remember the copy at this place; None forgets it."""


# ---- what an assistant accepts -----------------------------------------------------------------------------------------


def is_accepted(attachment: Attachment, accepted: Mapping[str, int]) -> bool:
    """Whether a file may be sent to an assistant that accepts this many bytes of each media type. Text always may."""
    return attachment.kind == "text" or attachment.size <= accepted.get(attachment.media_type, -1)


def check_accepted(attachments: Sequence[Attachment], accepted: Mapping[str, int], model: str) -> None:
    """Check that an assistant can take these files, before anything is sent; `accepted` as in `is_accepted`.

    Raises:
        UsageError: it can't take one of them.
    """
    for one in attachments:
        if is_accepted(one, accepted):
            continue
        code = "recording_not_read" if one.kind in ("audio", "video") else "attachment_not_read"
        same_kind = [name for name in accepted if Attachment("", name, "", 0).kind == one.kind]
        if one.media_type in accepted:
            limit = readable_size(accepted[one.media_type])
            raise UsageError(
                f"{one.name} is too large for {model}: {readable_size(one.size)}; it takes at most {limit}.",
                "Send a smaller file.",
            )
        if same_kind:
            known = ", ".join(sorted({name.partition("/")[2].upper() for name in same_kind}))
            raise UsageError(
                f"{model} can't read {one.name}: of {_PLURALS[one.kind]}, it reads {known}, and this is {one.media_type}.",
                "Convert it first.",
            )
        raise UsageError(
            f"{model} can't read {_PLURALS[one.kind]}.",
            "Choose a model that can.",
            code=code,
        )


def readable_size(size: int) -> str:
    """A number of bytes for a person: `212 kB`, `1.1 MB`."""
    for unit, name in _UNITS:
        if size >= unit:
            number = size / unit
            return f"{number:.1f} {name}" if number < 10 else f"{number:.0f} {name}"
    return f"{size} byte" if size == 1 else f"{size} bytes"


# ---- text files --------------------------------------------------------------------------------------------------------


def decode_text(data: bytes) -> str:
    """The text in a file: UTF-8, or UTF-16 with its mark.

    Raises:
        ValueError: it is not text.
    """
    encoding = "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    text = data.decode(encoding)
    if "\0" in text:
        raise ValueError("it contains NUL bytes")
    return text


def with_text_files(
    text: str, attachments: Sequence[Attachment], store: AttachmentStore | None
) -> tuple[str, tuple[Attachment, ...]]:
    """A message as an assistant is sent it: text files are part of its text, each under its name; the others are attached."""
    files = [_fenced(one, store) for one in attachments if one.kind == "text"]
    others = tuple(one for one in attachments if one.kind != "text")
    return "\n\n".join(filter(None, [*files, text])), others


def _fenced(attachment: Attachment, store: AttachmentStore | None) -> str:
    try:
        if store is None:
            raise FileNotFoundError
        with store.open(attachment) as file:
            text = decode_text(file.read())
    except (OSError, ValueError):
        return f"[{attachment.name}: this file is no longer available]"
    longest = max((len(line) - len(line.lstrip("`")) for line in text.split("\n")), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{attachment.name}:\n{fence}\n{text.rstrip(chr(10))}\n{fence}"
