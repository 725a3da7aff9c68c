"""Redaction of what an assistant sends: a server may echo the key, and then it must not get into the journal.

The text of a stream arrives in pieces, and the key may be split over them. So a piece that ends like the beginning of a secret
waits for the next one (only that end of it); any other text passes at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from .events import ChunkReceived, Event, Reasoning
from .redact import HIDDEN, hide_cut_end, known_secrets, remove_secrets
from .roles import CLOSING
from .secret_forms import CUT_ESCAPE, MIN_LENGTH, find, forms_of, letters_in, partial_at, readings

__all__ = ["ReplyRedactor", "TextRedactor"]

IN_WORD = 4
"""Letters of a secret that make the end of a piece wait within a word: fewer end too many words. The beginning of a word waits
at once."""

CONTEXT = 64
"""Characters before a piece that are looked at: three letters, which have not waited, as escapes with fillers."""


class TextRedactor:
    """Redacts one text that arrives in pieces."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = tuple(secrets)
        self._forms = [form for secret in self._secrets for form in forms_of(secret)]
        self._starts = sorted({form[:IN_WORD] for form in self._forms})
        self._shorter = tuple({form[:length] for form in self._forms for length in range(1, IN_WORD)})
        self._shown = ""  # the end of what was passed on: a secret may begin there
        self._held = ""

    def feed(self, piece: str) -> str:
        """The text that can be passed on after this piece."""
        if not self._forms:
            return piece
        text = self._shown + self._held + piece
        if not self._may_begin(text):
            ready, self._held = self._held + piece, ""
            self._shown = text[-CONTEXT:]
            return ready
        shown, done = len(self._shown), 0
        parts: list[str] = []
        until = self._partial_at(text, 0)
        for begin, end in find(text[:until], self._forms):  # it may begin in what was passed on
            parts += (text[max(done, shown) : begin], HIDDEN)
            done = end
        until = max(shown, self._partial_at(text[:until], done))  # directly behind a secret, another word begins
        self._shown, self._held = text[done:until][-CONTEXT:], text[until:]
        return "".join((*parts, text[max(done, shown) : until]))

    def _partial_at(self, text: str, after: int) -> int:
        return after + partial_at(text[after:], self._forms, 1, least_in_word=IN_WORD)

    def _may_begin(self, text: str) -> bool:
        """Whether a secret may be in this text, or begin at its end: a quick look, which most texts end with."""
        for letters, escapes in readings(text):
            if any(start in letters for start in self._starts) or (escapes and CUT_ESCAPE.search(letters)):
                return True
            if letters.endswith(self._shorter) and (escapes or _ends_with_word(text, letters, self._shorter)):
                return True
        return False

    def flush(self) -> str:
        """The rest, at the end of the text; the beginning of a secret that was cut there is hidden."""
        held, self._held, self._shown = self._held, "", ""
        return HIDDEN if letters_in(held) >= MIN_LENGTH else held


def _ends_with_word(text: str, letters: str, beginnings: tuple[str, ...]) -> bool:
    """Whether one of these short beginnings is at the end of a text, and at the beginning of a word there."""
    length, text = 0, text[-CONTEXT:]
    for letter, before in zip(text[::-1], (*text[-2::-1], " "), strict=False):
        if not letter.isspace() and letter.isprintable():
            length += 1
            if length >= IN_WORD:
                return False
            if not before.isalnum() and letters[-length:] in beginnings:
                return True
    return False


class ReplyRedactor:
    """Redacts the events of one reply; those without a secret stay the same objects."""

    def __init__(self) -> None:
        self._secrets = known_secrets()
        self._texts: dict[str, tuple[ChunkReceived | Reasoning, TextRedactor]] = {}

    def redacted(self, event: Event) -> Iterator[Event]:
        """The events to publish for this one: none if its text waits, more than one if text waited for it."""
        if not self._secrets:
            yield event
        elif isinstance(event, ChunkReceived | Reasoning):
            name = f"{event.type} {getattr(event, 'phase', '')}"
            if name not in self._texts:
                self._texts[name] = (event, TextRedactor(self._secrets))
            text = self._texts[name][1].feed(event.text)
            if text == event.text:
                yield event
            elif text:
                yield msgspec.structs.replace(event, text=text)
        else:
            if isinstance(event, CLOSING):
                yield from self.rest()
            yield self._event(event)

    def rest(self) -> Iterator[Event]:
        """The text that still waits, when nothing more will come."""
        for event, redactor in self._texts.values():
            if text := redactor.flush():
                yield msgspec.structs.replace(event, text=text)

    def _event(self, event: Event) -> Event:
        values = msgspec.to_builtins(event, builtin_types=(bytes,))
        clean = self._value(values)
        return event if clean == values else msgspec.convert(clean, type(event))

    def _value(self, value: Any) -> Any:
        match value:
            case str():
                return hide_cut_end(remove_secrets(value, self._secrets), self._secrets)
            case dict():
                return {self._value(key): self._value(one) for key, one in value.items()}
            case list() | tuple():
                return [self._value(one) for one in value]
        return value
