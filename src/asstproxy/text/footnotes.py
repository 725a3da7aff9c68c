"""The sources of an answer as footnotes, numbered from 1."""

from __future__ import annotations

from collections.abc import Iterable

from ..core.events import Source
from .safe_text import clean_line

__all__ = ["footnotes", "web_address"]


def footnotes(sources: Iterable[Source]) -> list[str]:
    """A line for each: its number, title and address."""
    texts = (" · ".join(filter(None, (clean_line(one.title), clean_line(one.url)))) for one in sources)
    return [f"[{number}] {text}" for number, text in enumerate(texts, 1)]


def web_address(source: Source) -> str:
    """The address, if it may be a link: a server could send `javascript:`, too. Empty otherwise."""
    address = clean_line(source.url)
    safe = address.startswith(("https://", "http://")) and not any(c in address for c in " <>\"'`\\")
    return address if safe else ""
