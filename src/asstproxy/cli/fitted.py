"""Texts of our own in a narrow terminal: lines are broken between words, below the column in which their last part begins."""

from __future__ import annotations

import re
import shutil
import sys

__all__ = ["fitted"]

_LEAD = re.compile(r"(?:.*\S\s{2,}|\s*(?:\d\. )?)(?=\S)")
"""What the rest of a line stands below: names in columns of their own, or the indent, with a number."""
_PARAGRAPH = re.compile(r"(?:^\S.*\n){2,}", re.MULTILINE)
_LEAST = 24
"""Columns that the rest of a line gets; with fewer, only the indent is kept."""


def fitted(text: str, width: int = 0, *, paragraphs: bool = False) -> str:
    """The text with its long lines broken to `width`, the terminal's if 0. A pipe, and a word that is too long, stay whole.

    `paragraphs`: lines without an indent, one after the other, are one text.
    """
    if not width:
        if not sys.stdout.isatty():
            return text
        width = shutil.get_terminal_size().columns
    if paragraphs:
        text = _PARAGRAPH.sub(lambda found: _joined(found[0], width), text)
    return "".join(_broken(line, width) if len(line) > width + 1 else line for line in text.splitlines(keepends=True))


def _joined(paragraph: str, width: int) -> str:
    is_long = any(len(line) > width for line in paragraph.splitlines())
    return f"{' '.join(paragraph.splitlines())}\n" if is_long else paragraph


def _broken(line: str, width: int) -> str:
    import textwrap

    body = line.rstrip("\n")
    found = _LEAD.match(body)
    lead = found[0] if found is not None else ""
    if width - len(lead) < _LEAST:
        lead = body[: len(body) - len(body.lstrip())]
    rows = textwrap.wrap(
        body[len(lead) :],
        width,
        initial_indent=lead,
        subsequent_indent=" " * len(lead),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(rows) + line[len(body) :]
