"""Untrusted text: text of models, tools, servers and titles must not act on the terminal.

Removed without a trace is what a terminal would *obey*: whole escape sequences, control characters, bidirectional
overrides. They are not text, so no text is lost: coloured tool output reads like plain output. A lone surrogate, which is
a broken character, becomes `�`. Line feeds and tabs stay. A carriage return becomes a line feed (CR LF becomes one): the
text before it stays readable.

An operating system command (OSC) or another string sequence ends at its terminator, at a control character that cancels
it, or at the end of the line. Terminals read on, but a model that writes `ESC ]` must not make the rest of its answer
vanish.
"""

from __future__ import annotations

import re

__all__ = ["Cleaner", "clean", "clean_label", "clean_line"]

_BIDI = "\u202a-\u202e\u2066-\u2069"
_SPECIAL = re.compile(rf"[\x00-\x08\x0b-\x1f\x7f-\x9f{_BIDI}\ud800-\udfff]")
_WHITE_SPACE = re.compile(r"\s+")

# One expression per place in a sequence: what is still skipped there.
_PARAMETERS = re.compile(r"[\x20-\x3f]*")  # CSI: parameters and intermediates, then one final character
_INTERMEDIATES = re.compile(r"[\x20-\x2f]*")  # ESC: intermediates, then one final character
_STRING = re.compile(r"[^\x07\x18\x1a\x1b\x9c\n\r]*")  # OSC, DCS, SOS, PM, APC: up to their end, or what cancels them

_AFTER_ESCAPE = {"[": "csi", "]": "string", "P": "string", "X": "string", "^": "string", "_": "string"}
_C1 = {"\x9b": "csi", "\x9d": "string", "\x90": "string", "\x98": "string", "\x9e": "string", "\x9f": "string"}


class Cleaner:
    """Makes streamed text harmless. A sequence may be split anywhere between two chunks."""

    def __init__(self) -> None:
        self._place = "text"  # or inside a sequence: "escape", "csi", "string"
        self._after_return = False

    def feed(self, text: str) -> str:
        """The harmless form of the next chunk. However a text is split, the result is the same."""
        if self._place == "text" and not self._after_return and not _SPECIAL.search(text):
            return text
        out: list[str] = []
        at = 0
        while at < len(text):
            at = self._text(text, at, out) if self._place == "text" else self._sequence(text, at)
        return "".join(out)

    def _text(self, text: str, at: int, out: list[str]) -> int:
        """Copy text up to the next special character, and process that."""
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
        """Skip what belongs to the sequence, up to its end (a control character in it is processed as text)."""
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
    """The harmless form of a text that gets one line: every run of white space becomes one space."""
    return _WHITE_SPACE.sub(" ", clean(text)).strip()


def clean_label(text: str, characters: int) -> str:
    """The same, at most so many characters long. A cut is shown as `…`."""
    line = clean_line(text[: 8 * characters])  # long texts are not read to their end
    return line if len(line) <= characters else f"{line[: characters - 1]}…"
