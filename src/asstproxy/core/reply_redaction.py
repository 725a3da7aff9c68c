"""Redaction of what an assistant sends: a server may echo the key, and then it must not get into the journal.

The text of a stream arrives in pieces, and the key may be split over them. So a piece that ends like the beginning of a secret
waits for the next one; any other text passes at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from .events import ChunkReceived, Event, Reasoning
from .redact import HIDDEN, MIN_LENGTH, forms_of, hide_cut_end, known_secrets, partial_at, remove_secrets
from .roles import CLOSING

__all__ = ["ReplyRedactor", "TextRedactor"]

LEAST = 4
"""Letters of a secret at the end of a piece that make it wait; fewer are in too many words, and give nothing away."""


class TextRedactor:
    """Redacts one text that arrives in pieces."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = tuple(secrets)
        self._forms = [form for secret in self._secrets for form in forms_of(secret)]
        self._starts = sorted({form[:LEAST] for form in self._forms})
        self._shown = ""  # the end of what was passed on: a secret may begin there
        self._held = ""

    def feed(self, piece: str) -> str:
        """The text that can be passed on after this piece."""
        if not self._forms:
            return piece
        text = self._shown + self._held + piece
        squeezed = "".join(text.split())
        if not any(start in squeezed for start in self._starts):
            ready, self._held = self._held + piece, ""
        else:
            shown = len(self._shown)
            until = max(shown, partial_at(text, self._forms, LEAST))
            redacted = remove_secrets(text[:until], self._secrets)
            same = shown
            while redacted[:same] != text[:same]:  # a secret began in what was passed on
                same -= 1
            ready, self._held = redacted[same:], text[until:]
            text = text[:until]
        self._shown = text[-LEAST * 8 :]
        while len("".join(self._shown.split())) >= LEAST:
            self._shown = self._shown[1:]
        return ready

    def flush(self) -> str:
        """The rest, at the end of the text; the beginning of a secret that was cut there is hidden."""
        held, self._held, self._shown = self._held, "", ""
        return HIDDEN if len("".join(held.split())) >= MIN_LENGTH else held


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
