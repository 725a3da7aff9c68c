"""Files that a person names: read or fetched once, whole, with the type that their bytes have."""

from __future__ import annotations

from pathlib import Path

from ..core.attachment import AttachedFile

__all__ = ["is_address", "read_attachment"]


async def read_attachment(source: str | Path | bytes, name: str = "") -> AttachedFile:
    """A file to send with a message: a path, an address (`https://…`), or the bytes themselves, which may have a `name`.

    Raises:
        UsageError: it can't be read, is empty or too large, or is of a type that no assistant reads.
    """
    if isinstance(source, bytes):
        from .reading import from_bytes

        return from_bytes(source, name)
    if isinstance(source, str) and is_address(source):
        from .fetching import fetch

        return await fetch(source)
    from .reading import read

    return read(source)


def is_address(source: str) -> bool:
    """Whether it is an address of the web, and not a path."""
    return source.lower().startswith(("http://", "https://"))
