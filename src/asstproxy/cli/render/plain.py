"""The plain view: the answer's text on stdout as it comes, and nothing else."""

from __future__ import annotations

from typing import TextIO

from asstproxy.core.codec import repair_surrogates
from asstproxy.core.events import (
    ActionRequired,
    AssistantMessageRetrieved,
    ChunkReceived,
    MessageIncomplete,
    Record,
    SetUserMessage,
    Started,
    ToolOutputsSubmitted,
)
from asstproxy.core.script import SETTLED

from .safe_text import Cleaner

__all__ = ["PlainView"]


class PlainView:
    """Writes the answer: raw Markdown, unwrapped, with one line feed at the end.

    Every piece is flushed: what arrives together is one piece already. Into a pipe the text goes as it is, on a terminal
    it is made harmless (`safe`). Text before a tool call and what follows it are two paragraphs. Commentary is no part of
    the answer. `raw`: a terminal gets the text as it is, too.
    """

    def __init__(self, stdout: TextIO, *, raw: bool = False) -> None:
        self._stdout = stdout
        self._terminal = stdout.isatty() and not raw
        self._begin()

    def _begin(self) -> None:
        self._clean = Cleaner().feed if self._terminal else repair_surrogates
        self._streamed = False  # a piece of this request's answer has come
        self._spoken = False  # so has a commentary, which the whole text may repeat
        self._end = ""  # the last two characters written in this exchange
        self._gap = False  # the next text is a new paragraph

    def __call__(self, record: Record) -> None:
        """Write what this record adds to the answer.

        Raises:
            OSError: it cannot be written.
        """
        match record.event:
            case SetUserMessage():
                self._begin()
            case Started() | ToolOutputsSubmitted():
                self._streamed = self._spoken = False
            case ChunkReceived(text=text, phase="answer"):
                self._streamed = True
                self._write(text)
            case ChunkReceived():
                self._spoken = True
            case ActionRequired(text=text):
                if not self._streamed and not self._spoken:
                    self._write(text)
                self._gap = bool(self._end)
            case AssistantMessageRetrieved(text=text) | MessageIncomplete(text=text):
                if not self._streamed:
                    self._write(text)
            case _:
                pass
        if record.state in SETTLED:
            self._settle()

    def _write(self, text: str) -> None:
        text = self._clean(text)
        if not text:
            return
        if self._gap:
            self._gap = False
            text = "\n" * (2 - len(self._end) + len(self._end.rstrip("\n"))) + text
        self._end = (self._end + text)[-2:]
        self._stdout.write(text)
        self._stdout.flush()

    def _settle(self) -> None:
        if self._end and not self._end.endswith("\n"):
            self._stdout.write("\n")
        self._stdout.flush()
        self._end = ""
