r"""Finding a secret in a text, in whatever form it is written there.

The forms: as it is; percent-encoded (`%2D`) or with the escapes of JSON and Markdown (`\u002d`, `\/`, `\_`), all of it or some of
its letters; in base64, wherever it begins in the bytes that were encoded. In each of them there may be fillers: blanks, line
ends, characters that nobody sees.

So a text is read in two ways, without fillers: its letters as they stand, and those that its escapes stand for. `find` and
`partial_at` look for a secret, and for its beginning at the end of the text, in both, and say where it is in the text itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from .invisible import LETTER, without_fillers

__all__ = ["CUT_ESCAPE", "MIN_LENGTH", "find", "forms_of", "letters_in", "partial_at", "readings"]

MIN_LENGTH = 8
"""Characters that a secret has at least: `none`, which some local servers want as their key, is a word."""
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})|\\([!-/:-@\[-`{-~bfnrt])|%([0-9a-fA-F]{2})")
CUT_ESCAPE = re.compile(r"(?:\\(?:u[0-9a-fA-F]{0,3})?|%[0-9a-fA-F]?)$")
"""The beginning of an escape at the end of a text."""
_LONGEST_LETTER = 16
"""Characters of a text that one letter takes at most, as an escape with fillers; what is spread more widely isn't one."""


@lru_cache(maxsize=256)
def forms_of(secret: str) -> tuple[str, ...]:
    """What to look for: the secret itself, and the letters of its base64 that do not depend on what is around it.

    Nothing, if it is too short to be a secret.
    """
    from binascii import b2a_base64

    if len(secret) < MIN_LENGTH:
        return ()
    data, found = secret.encode(), [secret]
    for before in range(3):  # the bytes before it decide how its first letters come out
        encoded = b2a_base64(bytes(before) + data, newline=False).decode().rstrip("=")
        whole = encoded[(0, 2, 3)[before] : None if (before + len(data)) % 3 == 0 else -1]
        found += (whole, whole.replace("+", "-").replace("/", "_"))
    return tuple(form for form in dict.fromkeys(found) if len(form) >= MIN_LENGTH)


def find(text: str, forms: Iterable[str]) -> list[tuple[int, int]]:
    """Where these forms are in a text: begin and end of each place, in order; those that overlap are one."""
    spans: list[tuple[int, int]] = []
    forms = tuple(forms)
    for read, escapes in readings(text):
        hits = [hit for form in forms if form in read for hit in _occurrences(form, read)]
        if hits:
            places = _places(text, escapes=escapes)
            spans += [(places[begin][0], places[end - 1][1]) for begin, end in hits]
    merged: list[tuple[int, int]] = []
    for begin, end in sorted(spans):
        if merged and begin < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return merged


def partial_at(text: str, forms: Iterable[str], least: int, *, least_in_word: int | None = None) -> int:
    """Where the beginning (of at least so many letters) of one of these forms is at the end of a text; else its length.

    `least_in_word`: letters that are needed within a word, where many words would be taken for a beginning.
    """
    forms = tuple(forms)
    longest = max(map(len, forms), default=0)
    offset = max(len(text) - _LONGEST_LETTER * longest - 64, 0)
    window = text[offset:] if longest else ""
    first = len(text)
    for read, escapes in readings(window):
        whole = CUT_ESCAPE.sub("", read) if escapes else read
        starts = sorted({start for form in forms for start in _starts(form, whole, least)})
        if least_in_word is not None and len(whole) < len(read):
            starts.append(len(whole))  # half an escape may become anything
        places = _places(window, escapes=escapes) if starts else []
        for start in starts:
            at = places[start][0]
            in_word = start > 0 and places[start - 1][1] == at and whole[start - 1].isalnum()
            if not in_word or least_in_word is None or len(whole) - start >= least_in_word:
                first = min(first, offset + at)
                break
    return first


def letters_in(text: str) -> int:
    """The letters of a text, fillers not counted and escapes read."""
    return len(_read(without_fillers(text)))


def readings(text: str) -> Iterator[tuple[str, bool]]:
    """The letters of a text as they are; and, if it has escapes (True), those that they stand for."""
    letters = without_fillers(text)
    yield letters, False
    if "\\" in letters or "%" in letters:
        yield _read(letters), True


def _read(letters: str) -> str:
    return _ESCAPE.sub(_letter, letters) if "\\" in letters or "%" in letters else letters


def _letter(escape: re.Match[str]) -> str:
    """What an escape stands for; nothing, if that is a filler, and the escape itself, if it isn't a letter of a secret."""
    code, short, percent = escape.groups()
    if short:
        return "" if short in "bfnrt" else str(short)
    letter = chr(int(code or percent, 16))
    return without_fillers(letter) if letter.isascii() or code else escape[0]


def _occurrences(form: str, letters: str) -> Iterator[tuple[int, int]]:
    at = letters.find(form)
    while at >= 0:
        yield at, at + len(form)
        at = letters.find(form, at + len(form))


def _starts(form: str, letters: str, least: int) -> Iterator[int]:
    """Where `letters` end like `form` begins."""
    at = letters.find(form[:least], max(0, len(letters) - len(form) + 1))
    while at >= 0:
        if form.startswith(letters[at:]):
            yield at
        at = letters.find(form[:least], at + 1)


def _places(text: str, *, escapes: bool) -> list[tuple[int, int]]:
    """Begin and end in the text of each of its letters; with `escapes`, of each that they stand for."""
    plain = [found.start() for found in LETTER.finditer(text)]
    if not escapes:
        return [(at, at + 1) for at in plain]
    places: list[tuple[int, int]] = []
    done = 0
    for escape in _ESCAPE.finditer(without_fillers(text)):
        places += ((at, at + 1) for at in plain[done : escape.start()])
        done = escape.end()
        places += [(plain[escape.start()], plain[done - 1] + 1)] * len(_letter(escape))
    places += ((at, at + 1) for at in plain[done:])
    return places
