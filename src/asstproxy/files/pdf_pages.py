"""How many pages a PDF has, as far as it says so without being decoded: for a line on the screen, never for a decision."""

from __future__ import annotations

import re
import zlib

__all__ = ["count_pages"]

MOST = 32 * 1000 * 1000
"""Bytes of a PDF that are looked through."""
_PAGES = re.compile(rb"/Type\s*/Pages\b[^>]{0,2000}?/Count\s+(\d{1,6})|/Count\s+(\d{1,6})[^>]{0,2000}?/Type\s*/Pages\b")
"""A node of the page tree (ISO 32000-1, 7.7.3.2). The root has the largest count."""
_PACKED = re.compile(rb"/Type\s*/ObjStm\b.{0,400}?stream\r?\n", re.DOTALL)
"""The beginning of a compressed group of objects (7.5.7), in which newer files have the tree."""
_UNPACKED = 4 * 1000 * 1000
"""Bytes of one such group, unpacked, that are looked at."""
_GROUPS = 200


def count_pages(data: bytes) -> int:
    """The number of pages; 0 if it is not to be found."""
    data = data[:MOST]
    found = _counts(data)
    if not found:
        for group in list(_PACKED.finditer(data))[:_GROUPS]:
            try:
                found += _counts(zlib.decompressobj().decompress(data[group.end() :][: 1 << 20], _UNPACKED))
            except zlib.error:
                continue
    return max(found, default=0)


def _counts(data: bytes) -> list[int]:
    return [int(one or other) for one, other in _PAGES.findall(data)]
