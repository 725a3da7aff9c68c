"""Data as coloured JSON, as a person reads it."""

from __future__ import annotations

from rich.highlighter import JSONHighlighter
from rich.text import Text

from ...core.codec import indented
from ...text.safe_text import clean

__all__ = ["json_text"]


def json_text(text: str) -> Text:
    """The text as indented, coloured JSON; as it is if it is not JSON, without control characters in either case."""
    shown = Text(clean(indented(text) or text), overflow="fold")
    JSONHighlighter().highlight(shown)
    return shown
