"""The words of a tool call, the same in every drawing of it: the question, the live line, `show`, `replay`, the exports.

A person who decides about a call, or looks at it later, must see what it holds. So nothing in a call is dropped in silence: a
character that nobody would see is escaped.
"""

from __future__ import annotations

import re

from ..core.invisible import escape_invisible
from .safe_text import clean, clean_line

__all__ = ["approval_words", "call_line", "call_text", "decision_words", "output_line", "output_text", "refusal_words"]

_CONTROLS = re.compile(r"([\x00-\x1f\x7f-\x9f\ud800-\udfff]+)")
_APPROVED = {"person": "you said yes", "always": "always", "option": "--yes"}


def call_text(text: str) -> str:
    r"""A tool's name, its source or its arguments: what is invisible is escaped (`\u200b`)."""
    return clean(escape_invisible(text))


def call_line(text: str) -> str:
    """The same in one line."""
    return clean_line(escape_invisible(text))


def output_text(text: str) -> str:
    """What a tool returned: as `call_text`, but colours and other sequences for a terminal are removed."""
    if text.isascii():
        return clean(text)
    parts = _CONTROLS.split(text)
    return clean("".join(part if number % 2 else escape_invisible(part) for number, part in enumerate(parts)))


def output_line(text: str) -> str:
    """The same in one line."""
    return clean_line(output_text(text))


def approval_words(by: str) -> str:
    """Who approved a call (`Decision.by`), in words; empty if nobody had to or it is unknown."""
    return _APPROVED.get(by, "")


def refusal_words(by: str, reason: str = "") -> str:
    """Who refused a call, in words, and why."""
    who = "you said no" if by == "person" else "not approved"
    reason = output_line(reason)
    return f"{who}: {reason}" if reason else who


def decision_words(approved: bool, by: str, reason: str = "") -> str:
    """A decision in words: who made it, and why."""
    return (approval_words(by) or "yes") if approved else refusal_words(by, reason)
