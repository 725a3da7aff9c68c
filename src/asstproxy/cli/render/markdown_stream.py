"""Markdown while it streams: finished blocks are printed once and for good, only the rest is drawn again.

Link definitions are kept: a definition in a printed block resolves links in later ones. A link before its definition
stays as it was written.

Costs. A search for block boundaries takes time in proportion to the unfinished rest. A rest without a boundary is
searched again only when it has grown by an eighth, so that the sum stays proportional to the text.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import MutableMapping, Sequence
from typing import Any

from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment

from ...text.safe_text import Cleaner
from .markdown_blocks import Block
from .markdown_boundaries import Rest, Span, divide, end_of, parse
from .markdown_inline import complete

__all__ = ["MarkdownStream", "Tail"]

_ROWS = 24
"""Rows of the tail at most."""
_SHORT = 8_192
"""A rest of at most so many characters is parsed at every search."""
_FEW = 2_000
"""A rest of at most so many tokens is, too (256 columns of a table and as many empty rows are 1,500 characters)."""


class MarkdownStream:
    """Takes an answer in chunks; gives blocks to print and a tail to repaint. All text is made harmless (`safe_text`)."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._chunks: list[str] = []
        self._clean = Cleaner().feed
        self._references: dict[str, Any] = {}
        self._rest = Rest()
        self._tail: Tail | None = None

    def feed(self, text: str) -> None:
        """Add a chunk of any length, split anywhere. O(1): parsing happens in `take` and `tail`."""
        self._chunks.append(text)

    def take(self) -> list[Block]:
        """The blocks finished since the last call. Print each once, one below the other."""
        self._absorb()
        rest = self._rest
        whole = rest.text.rfind("\n") + 1
        if whole <= rest.seen or whole < rest.due:
            return []
        source = rest.text[:whole]
        spans, lines = parse(rest, source, self._references)
        rest.seen = whole
        finished, after = divide(spans, lines, rest) if spans else ([], None)
        if after is None:
            rest.kind = spans[-1].kind if spans else ""
            many = sum(len(span.tokens) for span in spans) > _FEW
            rest.due = whole + whole // 8 if many or whole > _SHORT else 0
            return []
        blocks, after.apart = _blocks(finished, lines, self._references, apart=rest.apart)
        gone = len(source) - len(after.text)
        after.text, after.seen, after.kind = rest.text[gone:], whole - gone, spans[-1].kind
        self._rest, self._tail = after, None
        return blocks

    def tail(self, height: int) -> Tail:
        """The unfinished rest as it would look now: its last rows, at most `height` and never more than 24."""
        self._absorb()
        height = max(0, min(_ROWS, height))
        if self._tail is None or self._tail.height != height:
            shown = end_of(self._rest)
            references: MutableMapping[str, Any] = ChainMap({}, self._references)  # half an address may have arrived
            spans, lines = parse(shown, shown.text, references)
            self._tail = Tail(_blocks(spans, lines, references, apart=shown.apart)[0], height)
        return self._tail

    def finish(self) -> list[Block]:
        """The remaining blocks. Then the stream starts over."""
        self._absorb()
        rest = self._rest
        spans, lines = parse(rest, rest.text, self._references)
        blocks = _blocks(spans, lines, self._references, apart=rest.apart)[0]
        self._begin()
        return blocks

    def _absorb(self) -> None:
        if self._chunks:
            # Joined once a frame, not once a chunk: copying a long rest for every chunk would take quadratic time.
            self._rest.text += self._clean("".join(self._chunks))
            self._chunks.clear()
            self._tail = None


class Tail:
    """The end of some blocks, laid out once for each width, however often it is shown."""

    def __init__(self, blocks: Sequence[Block], height: int) -> None:
        self.blocks = blocks
        self.height = height
        self._rows: list[list[Segment]] = []
        self._width = -1

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for row in self.rows(console, options):
            yield from row
            yield Segment.line()

    def rows(self, console: Console, options: ConsoleOptions) -> list[list[Segment]]:
        """The rows to show, top first."""
        if self._width != options.max_width:
            self._width = options.max_width
            free = options.update(height=None)
            rows = [row for block in self.blocks for row in block.rows(console, free, folded=True)]
            self._rows = rows[-self.height :] if self.height else []
        return self._rows


def _blocks(
    spans: Sequence[Span], lines: Sequence[str], references: MutableMapping[str, Any], *, apart: bool
) -> tuple[list[Block], bool]:
    """The spans as blocks to print, and whether an empty line follows them; `apart`: whether one comes before them."""
    blocks: list[Block] = []
    for span in spans:
        tokens = complete(span.tokens, lines, {"references": references})
        blocks.append(Block(tokens, "\n".join(lines[span.first : span.end]), apart=apart and not span.joined))
        apart = span.kind != "hr"
    return blocks, apart
