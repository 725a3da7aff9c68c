"""Characters that nobody would see: escaped where a person decides, skipped where a secret is looked for."""

from __future__ import annotations

import re

__all__ = ["LETTER", "escape_invisible", "without_fillers"]

_CLASS = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_INVISIBLE = re.compile(f"[{_CLASS}]")
"""Nothing is drawn for these: Unicode's Default_Ignorable_Code_Point (DerivedCoreProperties.txt, 17.0), the empty Braille cell, and
the musical null notehead."""
_FILLERS = re.compile(rf"[\x00-\x1f\x7f-\x9f{_CLASS}]")
"""The same, and control characters."""
LETTER = re.compile(rf"[^\s\x00-\x1f\x7f-\x9f{_CLASS}]")
"""Any other character but a blank."""


def escape_invisible(text: str) -> str:
    """The text with every character that nobody would see as a JSON escape; line feeds and spaces stay."""
    import json

    return "".join(
        json.dumps(c)[1:-1] if _INVISIBLE.match(c) or not (c.isprintable() or c == "\n") else c for c in text
    )


def without_fillers(text: str) -> str:
    """The text without blanks, line ends, control characters and what is invisible."""
    letters = "".join(text.split())
    return letters if letters.isascii() and letters.isprintable() else _FILLERS.sub("", letters)
