"""Untrusted text: what models, tools, servers and titles say must not act on the terminal.

What a terminal would *obey* is dropped without a trace: escape sequences whole, control characters, bidirectional
overrides. It stands for no character, so nothing is missing where it stood; a coloured tool output reads like the plain
one. What stood for a character and is none (a lone surrogate) becomes `�`. Line feeds and tabs stay. A carriage return
becomes a line feed (one, with the line feed that follows it): what stood before it stays readable.

An operating system command (OSC) or another string sequence ends at its terminator, at a control that cancels it, or at
the end of the line. Terminals read on; but a model that writes `ESC ]` must not make the rest of its answer vanish.
"""

from __future__ import annotations

import re

__all__ = ["Cleaner", "clean", "clean_line"]

_BIDI = "\u202a-\u202e\u2066-\u2069"
_SPECIAL = re.compile(rf"[\x00-\x08\x0b-\x1f\x7f-\x9f{_BIDI}\ud800-\udfff]")
_BLANK = re.compile(r"\s+")

# One expression per place inside a sequence: what is still swallowed there.
_PARAMETERS = re.compile(r"[\x20-\x3f]*")  # CSI: parameters and intermediates, then one final character
_INTERMEDIATES = re.compile(r"[\x20-\x2f]*")  # ESC: intermediates, then one final character
_STRING = re.compile(r"[^\x07\x18\x1a\x1b\x9c\n\r]*")  # OSC, DCS, SOS, PM, APC: up to the end or what cancels it

_AFTER_ESCAPE = {"[": "csi", "]": "string", "P": "string", "X": "string", "^": "string", "_": "string"}
_C1 = {"\x9b": "csi", "\x9d": "string", "\x90": "string", "\x98": "string", "\x9e": "string", "\x9f": "string"}


class Cleaner:
    """Makes a stream of text harmless; a sequence may be cut anywhere between two pieces."""

    def __init__(self) -> None:
        self._place = "text"  # or inside a sequence: "escape", "csi", "string"
        self._after_return = False

    def feed(self, text: str) -> str:
        """The harmless form of the next piece: fed piece by piece or at once, a text gives the same."""
        if self._place == "text" and not self._after_return and not _SPECIAL.search(text):
            return text
        out: list[str] = []
        at = 0
        while at < len(text):
            at = self._text(text, at, out) if self._place == "text" else self._sequence(text, at)
        return "".join(out)

    def _text(self, text: str, at: int, out: list[str]) -> int:
        """Take text up to and with the next special character."""
        if self._after_return:
            self._after_return = False
            at += text[at] == "\n"
        found = _SPECIAL.search(text, at)
        if found is None:
            out.append(text[at:])
            return len(text)
        out.append(text[at : found.start()])
        special = found[0]
        if special == "\x1b":
            self._place = "escape"
        elif special in _C1:
            self._place = _C1[special]
        elif special == "\r":
            out.append("\n")
            self._after_return = True
        elif "\ud800" <= special <= "\udfff":
            out.append("�")
        return found.end()

    def _sequence(self, text: str, at: int) -> int:
        """Swallow what belongs to the sequence; where it ends, text goes on (a control in it is text's business)."""
        if self._place == "string":
            at = _end(_STRING, text, at)
            if at < len(text):
                # ESC may begin the terminator `ESC \` or another sequence: both are read from "escape".
                self._place = "escape" if text[at] == "\x1b" else "text"
                at += text[at] not in "\n\r"
            return at
        at = _end(_PARAMETERS if self._place == "csi" else _INTERMEDIATES, text, at)
        if at < len(text):
            place = _AFTER_ESCAPE.get(text[at], "text") if self._place == "escape" else "text"
            self._place = place
            at += "\x30" <= text[at] <= "\x7e"
        return at


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def clean(text: str) -> str:
    """The harmless form of a whole text."""
    return Cleaner().feed(text)


def clean_line(text: str) -> str:
    """The harmless form of a text that has one line on the screen: every run of blanks is one space."""
    return _BLANK.sub(" ", clean(text)).strip()
