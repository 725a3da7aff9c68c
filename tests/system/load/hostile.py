"""Text that wants to act: on the terminal, on the renderer, or on the person who reads it."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["HOSTILE", "LINE", "harmful"]

SEQUENCES = (
    "\x1b]0;PWNED\x07",
    "\x1b]8;;http://evil.example\x1b\\link\x1b]8;;\x1b\\",
    "\x1b]52;c;UFdORUQ=\x07",
    "\x1b[2J\x1b[3J\x1b[H",
    "\x1b[?1049h",
    "\x1b[31;5m",
    "\x1bP+q544e\x1b\\",
    "\x1b_Gi=31;QUFBQQ==\x1b\\",
    "\x1bc",
    "\x9b2J",
    "\x9d0;PWNED\x9c",
    "\x90q\x9c",
    "\x1b[6n",
    "\x07\x08\x08\x08",
)
ACTING = "".join(f"<{sequence}>" for sequence in SEQUENCES)
ACCENTS = "e" + "\u0301" * 50
FAMILY = "\N{WOMAN}\u200d\N{WOMAN}\u200d\N{GIRL}"
MARKUP = "[red]bold[/red][link=http://evil.example]x[/link]"
LINE = f"start{ACTING}\x00\x7f\u202e\u2066gnp.exe\u2069{MARKUP} {FAMILY} {ACCENTS} end"
"""All of it in one line, between two words that must be seen."""
BOMB = "[" * 300 + "> " * 300 + "w" * 3000
HOSTILE = f"start\n\n{LINE}\r\nsecond\roverwritten\n\n```\x1b]0;PWNED\x07\n\x1b[2Jcode\n```\n\n{BOMB}\n\nend"
"""The same as an answer, with Markdown around it."""

_OURS = re.compile(r"\x1b\[(?:[0-9;]*m|[0-9]*[ABCDGJK]|\?25[lh]|\?2004[lh]|\?7[lh]|\?1l|6n|[0-9]+;[0-9]+H|[0-9]*[XP])")
"""What Rich and prompt_toolkit send: colours, moves, erasing a row, the cursor, pasting."""
_LINK = re.compile(r"\x1b\]8;id=[0-9]+;(https?://[^\x00-\x20\x7f-\x9f]+)\x1b\\([^\x00-\x1f\x7f-\x9f]+)\x1b\]8;;\x1b\\")
"""A web address that Rich made a hyperlink, or a row of it."""
_BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def harmful(shown: str, *, terminal: bool = False) -> list[str]:
    """The characters that act on a terminal (DEL does not); on a `terminal` our own control sequences are none.

    Nor is a hyperlink that leads to the very address that is read there, and to no other.
    """
    left = _LINK.sub(_visible, _OURS.sub("", shown)) if terminal else shown
    allowed = "\n\t\x7f\r" if terminal else "\n\t\x7f"
    return [repr(c) for c in left if (unicodedata.category(c) == "Cc" and c not in allowed) or c in _BIDI]


def _visible(link: re.Match[str]) -> str:
    address, text = link.groups()
    return text if text in address else link[0]
