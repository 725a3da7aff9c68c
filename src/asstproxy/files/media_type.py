"""What the bytes of a file are. Names and what servers say of them don't count: both may be wrong."""

from __future__ import annotations

import re

from ..core.attachment import decode_text
from ..core.errors import UsageError

__all__ = ["TEXT_LIMIT", "media_type", "what_it_is"]

TEXT_LIMIT = 10 * 1000 * 1000
"""Bytes of a text file: more than any model reads (a million tokens are about four million characters)."""
HEAD = 64 * 1024
"""Bytes that are enough to recognise any type but text."""

_TYPES = {
    "application/pdf": "application/pdf",
    "audio/aac": "audio/aac",
    "audio/aiff": "audio/aiff",
    "audio/flac": "audio/flac",
    "audio/mp4": "audio/mp4",
    "audio/mpeg": "audio/mpeg",
    "audio/ogg": "audio/ogg",
    "audio/wav": "audio/wav",
    "audio/wave": "audio/wav",
    "audio/x-aiff": "audio/aiff",
    "audio/x-opus+ogg": "audio/ogg",
    "audio/x-wav": "audio/wav",
    "image/avif": "image/avif",
    "image/bmp": "image/bmp",
    "image/gif": "image/gif",
    "image/heic": "image/heic",
    "image/heif": "image/heic",
    "image/jpeg": "image/jpeg",
    "image/png": "image/png",
    "image/tiff": "image/tiff",
    "image/webp": "image/webp",
    "image/x-ms-bmp": "image/bmp",
    "video/3gpp": "video/3gpp",
    "video/avi": "video/x-msvideo",
    "video/dvd": "video/mpeg",
    "video/mp4": "video/mp4",
    "video/mpeg": "video/mpeg",
    "video/quicktime": "video/quicktime",
    "video/webm": "video/webm",
    "video/x-flv": "video/x-flv",
    "video/x-msvideo": "video/x-msvideo",
}
"""The types that an assistant may read, by the names that puremagic has for them."""
_MPEG_AUDIO = re.compile(rb"\xff[\xe2-\xe7\xf2-\xf7\xfa-\xff]")
"""The first bytes of an MP3 without tags (layer III of MPEG 1, 2 and 2.5), of which puremagic knows only one."""
_CONTROLS = frozenset({*range(32), 127} - set(b"\t\n\v\f\r\x1b"))
"""Bytes that are in no text, whatever its encoding, as long as that extends ASCII."""
_BRANDS = {
    b"M4A ": "audio/mp4",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"mif1": "image/heic",
    b"msf1": "image/heic",
}
"""Brands of ISO base media files (ISO/IEC 14496-12) that are not videos."""


def media_type(data: bytes, *, whole: bool) -> str:
    """The media type of a file that begins so; `whole`: these are all its bytes. Empty: none that an assistant reads."""
    if data.startswith(b"%PDF-"):
        return "application/pdf"
    if whole and _is_text(data):
        return "text/plain"
    if data[4:8] == b"ftyp" and (brand := _BRANDS.get(data[8:12])):
        return brand
    return next((_TYPES[name] for name, _ in _matches(data) if name in _TYPES), "") or (
        "audio/mpeg" if _MPEG_AUDIO.match(data) else ""
    )


def what_it_is(data: bytes) -> str:
    """The kind of a file in words, for an error message."""
    if data.startswith(b"PK\x03\x04"):  # puremagic takes any of them for the first kind in its table
        return "a ZIP archive or an office document"
    if _CONTROLS.isdisjoint(data):
        return "text in another encoding"
    known = next((name for _, name in _matches(data) if name), "")
    return known or "binary data"


def _is_text(data: bytes) -> bool:
    try:
        decode_text(data)
    except ValueError:
        return False
    return True


def _matches(data: bytes) -> list[tuple[str, str]]:
    """What it may be, the likeliest first: media type and description."""
    try:
        import puremagic
    except ImportError:
        raise UsageError("The package puremagic is missing.", "Run: pip install puremagic") from None
    try:
        return [(match.mime_type, match.name) for match in puremagic.magic_string(data[:HEAD])]
    except (puremagic.PureError, ValueError):  # it knows nothing like it, or the file is empty
        return []
