"""What a model thought, in the spellings of Chat Completions: `reasoning_content` (DeepSeek, llama.cpp, vLLM), `reasoning` and
`reasoning_details` (OpenRouter, Groq), parts of the content (Mistral), or `<think>` at the beginning of the text.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..core.coalesce import TextBuffer
from .fields import get_content, get_objects, get_text
from .transport import JSON

__all__ = ["ReasoningBuffer", "ThinkTags"]

FIELDS = ("reasoning_content", "reasoning")
PIECES = ("text", "summary", "data")
"""What grows in a detail that arrives in pieces."""


class ReasoningBuffer:
    """Gathers the reasoning of an answer; `raw` is what goes back, in the spelling in which it came."""

    def __init__(self) -> None:
        self._texts = {name: TextBuffer() for name in FIELDS}
        self._details: list[JSON] = []

    def __bool__(self) -> bool:
        return bool(self._details) or any(self._texts.values())

    def add(self, holder: JSON) -> str:
        """The text of what is new in a delta or a message."""
        for detail in get_objects(holder, "reasoning_details"):
            self._add_detail(detail)
        texts = {name: get_text(holder, name) for name in FIELDS}
        for name, text in texts.items():
            if text:
                self._texts[name].add(text)
        in_parts = (get_content(part, "thinking") for part in get_objects(holder, "content"))
        in_details = (
            get_text(one, "text") or get_text(one, "summary") for one in get_objects(holder, "reasoning_details")
        )
        return next(filter(None, texts.values()), "") or "".join(in_parts) or "".join(in_details)

    def _add_detail(self, detail: JSON) -> None:
        """A detail, or a piece of the one before it; what is encrypted stands alone."""
        last = self._details[-1] if self._details else {}
        same = all(last.get(name) == detail.get(name) for name in ("type", "index")) and "data" not in detail
        if not last or not same:
            self._details.append(dict(detail))
            return
        grown = {name: get_text(last, name) + get_text(detail, name) for name in PIECES if name in detail}
        last |= {name: value for name, value in detail.items() if value is not None} | grown

    @property
    def raw(self) -> JSON:
        """The fields of a message that are sent back; empty if the model said nothing about its reasoning."""
        if self._details:
            return {"reasoning_details": self._details}
        return {name: str(text) for name, text in self._texts.items() if text}


class ThinkTags:
    """Parts a text that begins with `<think>…</think>` into reasoning and answer, however it is cut up."""

    OPEN, CLOSE = "<think>", "</think>"

    def __init__(self) -> None:
        self._held = ""  # of what may be a tag
        self._inside: bool | None = None  # None: nothing but white space so far
        self._blank = False  # the answer behind the tag has not begun

    def add(self, piece: str) -> Iterator[tuple[bool, str]]:
        """What the text says so far, in order: whether it is reasoning, and the words."""
        self._held += piece
        if self._inside is None:
            start = self._held.lstrip()
            if start.startswith(self.OPEN):
                self._inside, self._held = True, start[len(self.OPEN) :].lstrip("\n")
            elif start and not self.OPEN.startswith(start):
                self._inside = False
        if self._inside:
            yield from self._thought()
        if self._inside is False:
            text = self._held.lstrip() if self._blank else self._held
            self._blank, self._held = self._blank and not text, ""
            if text:
                yield False, text

    def _thought(self) -> Iterator[tuple[bool, str]]:
        thought, closed, rest = self._held.partition(self.CLOSE)
        if closed:
            self._inside, self._blank, self._held = False, True, rest
        else:
            longest = max(range(len(self.CLOSE)), key=lambda size: size * thought.endswith(self.CLOSE[:size]))
            thought, self._held = thought[: len(thought) - longest], thought[len(thought) - longest :]
        if thought:
            yield True, thought

    def rest(self) -> Iterator[tuple[bool, str]]:
        """What was held back, once nothing can follow."""
        if self._held:
            yield bool(self._inside), self._held
        self._held = ""
