"""A tool, in a file that `-t` can name."""

from __future__ import annotations

__all__ = ["upper"]


def upper(text: str) -> str:
    """Upper case.

    Args:
        text: any text.
    """
    return text.upper()
