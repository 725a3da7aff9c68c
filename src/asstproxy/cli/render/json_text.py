"""Data as coloured JSON, as a person reads it."""

from __future__ import annotations

import json

from rich.highlighter import JSONHighlighter
from rich.text import Text

from asstproxy.core.codec import pretty

from .safe_text import clean

__all__ = ["json_text"]


def json_text(text: str) -> Text:
    """The text as indented, coloured JSON; as it is if it is not JSON, without control characters in either case."""
    try:
        shown = Text(clean(pretty(json.loads(text)).decode()), overflow="fold")
    except (ValueError, RecursionError):
        return Text(clean(text), overflow="fold")
    JSONHighlighter().highlight(shown)
    return shown
