"""The plain view: the answer's text on stdout as it arrives, and nothing else."""

from __future__ import annotations

from typing import TextIO

from ...core.codec import repair_surrogates
from ...core.events import ActionRequired, Record, SetUserMessage
from ...core.script import SETTLED
from ...text.safe_text import Cleaner
from .answer_text import AnswerText

__all__ = ["PlainView"]


class PlainView:
    """Writes the answer: raw Markdown, unwrapped, with one line feed at the end.

    Every chunk is flushed. Into a pipe the text goes as it is; on a terminal control characters are removed (`safe_text`),
    unless `raw`. Text before a tool call and text after it are two paragraphs. Commentary is not part of the answer.
    """

    def __init__(self, stdout: TextIO, *, raw: bool = False) -> None:
        self._stdout = stdout
        self._filtered = stdout.isatty() and not raw
        self._begin()

    def _begin(self) -> None:
        self._clean = Cleaner().feed if self._filtered else repair_surrogates
        self._answer = AnswerText()
        self._end = ""  # the last two characters written in this exchange
        self._new_paragraph = False

    def __call__(self, record: Record) -> None:
        """Write what this record adds to the answer.

        Raises:
            OSError: stdout can't be written.
        """
        if isinstance(record.event, SetUserMessage):
            self._begin()
        if text := self._answer.feed(record.event):
            self._write(text)
        if isinstance(record.event, ActionRequired):
            self._new_paragraph = bool(self._end)
        if record.state in SETTLED:
            self._settle()

    def _write(self, text: str) -> None:
        text = self._clean(text)
        if not text:
            return
        if self._new_paragraph:
            self._new_paragraph = False
            text = "\n" * (2 - len(self._end) + len(self._end.rstrip("\n"))) + text
        self._end = (self._end + text)[-2:]
        self._stdout.write(text)
        self._stdout.flush()

    def _settle(self) -> None:
        if self._end and not self._end.endswith("\n"):
            self._stdout.write("\n")
        self._stdout.flush()
        self._end = ""
