"""URLs in plain text."""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["split_urls"]

_URL = re.compile(r"https?://[^\s<>\"'`\\]+", re.IGNORECASE)
_END = ".,;:!?*_~"


def split_urls(text: str) -> Iterator[tuple[str, bool]]:
    """The pieces of a text, each with whether it is a URL. Punctuation and brackets around a URL are not part of it."""
    at = 0
    for found in _URL.finditer(text):
        url = _trimmed(found[0])
        if url.endswith("//"):
            continue
        if found.start() > at:
            yield text[at : found.start()], False
        yield url, True
        at = found.start() + len(url)
    if at < len(text):
        yield text[at:], False


def _trimmed(url: str) -> str:
    while True:
        shorter = url.rstrip(_END)
        for opening, closing in ("()", "[]", "{}"):
            if shorter.endswith(closing) and shorter.count(closing) > shorter.count(opening):
                shorter = shorter[:-1]
        if shorter == url:
            return url
        url = shorter
