"""Answers as HTML while they stream: a block of Markdown becomes HTML once, when it is finished.

The page shows the HTML of the finished blocks and the rest as text. So the cost of a chunk doesn't grow with the answer,
and a replay at any record shows what was on the screen then.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from markdown_it import MarkdownIt

from ..core.events import (
    ActionRequired,
    AssistantMessageRetrieved,
    ChunkReceived,
    MessageIncomplete,
    Record,
    SetUserMessage,
)
from ..core.script import SETTLED, STEPS

__all__ = ["AnswerBlocks", "Block", "Render"]

Block = dict[str, Any]
"""`exchange` (from 0), `part` (a text between tool calls, from 0), `index` (from 0), `end`, `html`.

`end` counts the text of its part up to here, as JavaScript counts: in units of UTF-16.
"""
Render = Callable[[str, dict[str, Any]], str]
"""Makes harmless HTML of Markdown; the second argument carries link definitions from block to block."""
_LONG = 8_192
"""Characters of an open block from which on the next search waits until it has grown by an eighth."""


class AnswerBlocks:
    """Takes records and gives the blocks that they finish."""

    def __init__(self, render: Render) -> None:
        self.all: list[Block] = []
        self._render = render
        self._exchange, self._part = -1, 0
        self._reset()

    def _reset(self) -> None:
        self._rest, self._end, self._index, self._due = "", 0, 0, 0
        self._definitions: dict[str, Any] = {}

    def feed(self, record: Record) -> list[Block]:
        """The blocks that this record finishes."""
        before = len(self.all)
        match record.event:
            case SetUserMessage():
                self._finish()
                self._exchange += 1
                self._part = 0
            case ChunkReceived(text=text, phase="answer"):
                self._rest += text
                self._take_finished()
            case AssistantMessageRetrieved(text=text) | MessageIncomplete(text=text) if (
                not self._end and not self._rest
            ):
                self._rest = text
        if record.event.type in STEPS and (record.state in SETTLED or isinstance(record.event, ActionRequired)):
            self._finish()
            self._part += 1
        return self.all[before:]

    def _take_finished(self) -> None:
        whole = self._rest.rfind("\n") + 1
        if whole <= self._due:
            return
        last = _last_block(self._rest[:whole])
        if last:
            self._add(self._rest[:last])
            self._rest, self._due = self._rest[last:], 0
        else:
            self._due = whole + (whole // 8 if whole > _LONG else 0)

    def _finish(self) -> None:
        if last := _last_block(self._rest):  # a list that had to wait, and a line after it
            self._add(self._rest[:last])
            self._rest = self._rest[last:]
        if self._rest:
            self._add(self._rest)
        self._reset()

    def _add(self, text: str) -> None:
        self._end += len(text.encode("utf-16-le", "surrogatepass")) // 2
        place = {"exchange": self._exchange, "part": self._part, "index": self._index, "end": self._end}
        self.all.append({**place, "html": self._render(text, self._definitions)})
        self._index += 1


_ENDED_BY_A_BLANK_LINE = frozenset({"paragraph_open", "heading_open", "hr", "fence", "table_open"})
"""Blocks that nothing after an empty line can continue. A list, a quotation and indented code may go on."""
_REFERENCE = re.compile(r"\[[^\]]+\](?!\()")
"""What may be a link whose address is yet to come."""
_PARSER = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
_PARSER.core.ruler.enableOnly(["normalize", "block"])


def _last_block(text: str) -> int:
    """Where the last top-level block begins that may go on, in characters: what is before it is finished."""
    if "\r" in text:  # the parser ends lines there, too, and its numbers would not be ours
        return 0
    blocks = [token for token in _PARSER.parse(text) if token.level == 0 and token.map and token.nesting >= 0]
    if not blocks or blocks[-1].map is None:
        return 0
    first_line, after = blocks[-1].map
    at = 0
    for _ in range(first_line):
        at = text.index("\n", at) + 1
    kind = blocks[-1].type
    is_over = kind in _ENDED_BY_A_BLANK_LINE and after < text.count("\n")
    if is_over and (kind == "fence" or not _REFERENCE.search(text, at)):
        return len(text)
    return at if len(blocks) > 1 else 0
