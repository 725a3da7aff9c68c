"""Markdown as it streams: what is finished is printed once and for good, only the rest is drawn again.

Rules. (1) Block boundaries are found with markdown-it's block rules on whole lines: the last line may still become
something else ("1" a "1."). (2) Everything before the last top-level block is finished: what comes can only extend the
last one. (3) Two kinds of block grow long and are printed in pieces: a list by items, an open fence by 16 lines.
(4) Link definitions are kept, so that what was defined in a printed block resolves in a later one; a link that is used
before its definition came stays as it was written.

A block of which a piece was printed is parsed on behind a *stand-in* for what is gone: an item of the same list, or the
line that opened the fence. So the parser is in the state in which it would be, and what it makes of the stand-in is
left out.

Costs. Finding boundaries costs as much as the unprinted rest is long. A rest that goes on without a boundary is looked
at again only when it has grown by an eighth, so that the sum stays proportional to the text.
"""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment

from .blocks import CONTEXT, Block
from .inline import complete
from .safe import Cleaner

__all__ = ["MarkdownStream", "Tail"]

_BLOCKS = MarkdownIt().enable("table").disable("html_block")  # Rich drops HTML: it has to stay text
_BLOCKS.core.ruler.enableOnly(["normalize", "block"])

_PIECE = 16
"""Finished lines of an open fence that are printed together."""
_ROWS = 24
"""The tail's height at most."""
_SHORT = 8_192
"""Characters of rest that are parsed at every look."""
_FEW = 2_000
"""Tokens that are made at every look (256 columns of a table and as many empty rows are 1,500 characters)."""
_CUT = 4_096
"""Characters of a longer rest that are drawn as its tail."""
_TABLE = 2 * _ROWS
"""Rows of a longer table that are."""
_CONTEXT = 4_000
"""Characters of printed code, at most, that are read again to colour what follows."""
_WORD_END = re.compile(r"\s")


@dataclass(slots=True)
class _Span:
    """A top-level block as parsed: its lines are `first` up to `end` of what was parsed."""

    tokens: list[Token]
    first: int
    end: int

    @property
    def kind(self) -> str:
        return self.tokens[0].type


@dataclass(slots=True)
class _Rest:
    """What is not printed yet, and where it stands."""

    text: str = ""
    standin: str = ""  # the line before it, when the block that it begins with was printed in part
    number: int = 1  # of the next item of that block, if it is a list
    code: list[str] = field(default_factory=list)  # the printed lines of that block, if it is a fence, as context
    apart: bool = False  # whether an empty line comes before the next block
    kind: str = ""  # of its last block, at the last look
    seen: int = 0  # characters that the last look has read
    due: int = 0  # characters that make the next look worth it


class MarkdownStream:
    """Takes an answer as it comes; gives blocks to print, and a tail to repaint. Any text is made harmless."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._pieces: list[str] = []
        self._clean = Cleaner().feed
        self._references: dict[str, Any] = {}
        self._rest = _Rest()
        self._tail: Tail | None = None

    def feed(self, text: str) -> None:
        """Take a piece of any length, cut anywhere. O(1): it is looked at when somebody asks."""
        self._pieces.append(text)

    def take(self) -> list[Block]:
        """The blocks that were finished since the last call. Print each once, one below the other."""
        self._absorb()
        rest = self._rest
        whole = rest.text.rfind("\n") + 1
        if whole <= rest.seen or whole < rest.due:
            return []
        source = rest.text[:whole]
        spans, lines = _parse(rest.standin, source, self._references)
        rest.kind, rest.seen = (spans[-1].kind if spans else ""), whole
        finished, after = _divide(spans, lines, rest)
        if after is rest:
            rest.due = whole + whole // 8 if sum(len(span.tokens) for span in spans) > _FEW or whole > _SHORT else 0
            return []
        blocks, after.apart = _blocks(finished, lines, rest, self._references)
        gone = len(source) - len(after.text)
        after.text, after.seen = rest.text[gone:], whole - gone
        self._rest, self._tail = after, None
        return blocks

    def tail(self, height: int) -> Tail:
        """What is not finished, as it would look now: its last rows, at most `height` and never more than 24."""
        self._absorb()
        height = max(0, min(_ROWS, height))
        if self._tail is None or self._tail.height != height:
            shown = _cut(self._rest)
            references: MutableMapping[str, Any] = ChainMap({}, self._references)  # an address may be there in part
            spans, lines = _parse(shown.standin, shown.text, references)
            self._tail = Tail(_blocks(spans, lines, shown, references)[0], height)
        return self._tail

    def finish(self) -> list[Block]:
        """The blocks that are left; then the stream is as new."""
        self._absorb()
        rest = self._rest
        spans, lines = _parse(rest.standin, rest.text, self._references)
        blocks = _blocks(spans, lines, rest, self._references)[0]
        self._begin()
        return blocks

    def _absorb(self) -> None:
        if self._pieces:
            # Joined once a frame, not once a piece: a rest without a boundary is copied at the speed of memory.
            self._rest.text += self._clean("".join(self._pieces))
            self._pieces.clear()
            self._tail = None


class Tail:
    """The end of some blocks; drawn once for each width, however often it is shown."""

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
            rows = [row for block in self.blocks for row in console.render_lines(block, free, pad=False)]
            self._rows = rows[-self.height :] if self.height else []
        return self._rows


def _parse(standin: str, source: str, references: MutableMapping[str, Any]) -> tuple[list[_Span], list[str]]:
    """The top-level blocks of the source, read behind the stand-in, and the lines that they count by."""
    lines = (standin + source).split("\n")
    tokens = _BLOCKS.parse(standin + source, {"references": references})
    spans: list[_Span] = []
    for token in tokens:
        if token.level == 0 and token.nesting >= 0:
            first, end = token.map or (0, 0)
            spans.append(_Span([token], first, end))
        else:
            spans[-1].tokens.append(token)
    return spans, lines


def _items(span: _Span) -> list[int]:
    """Where the items of a list begin among its tokens."""
    return [place for place, token in enumerate(span.tokens) if token.type == "list_item_open" and token.level == 1]


def _divide(spans: list[_Span], lines: list[str], rest: _Rest) -> tuple[list[_Span], _Rest]:
    """What is finished, and the rest that follows it (the same one when nothing is finished)."""
    if not spans:
        return [], rest
    last = spans[-1]
    finished = spans[:-1]
    continued = bool(rest.standin) and not finished  # the last block is the one that was printed in part
    if last.kind.endswith("list_open"):
        items = _items(last)
        if len(items) > 1 + continued:
            opened, begins = last.tokens[0], (last.tokens[items[-1]].map or [0])[0]
            number = rest.number - 1 if continued else int(opened.attrs.get("start", 1))
            after = _Rest(_from(lines, begins), number=number + len(items) - 1)
            after.standin = f"{'1' if opened.tag == 'ol' else ''}{opened.markup} x\n"
            return [*finished, _Span([*last.tokens[: items[-1]], last.tokens[-1]], last.first, begins)], after
    elif last.kind == "fence":
        token = last.tokens[0]
        code = token.content.split("\n")[:-1]
        ready = len(code) - len(code) % _PIECE
        while ready and not code[ready - 1].strip():  # empty lines at the end of a fence are not shown
            ready -= 1
        if ready:
            piece = token.copy(content="\n".join(code[:ready]) + "\n", meta={"open": True})
            after = _Rest(_from(lines, last.first + 1 + ready), lines[last.first] + "\n")
            after.code = ((rest.code if continued else []) + code[:ready])[-CONTEXT:]
            return [*finished, _Span([piece], last.first, last.first + 1 + ready)], after
    return (finished, _Rest(_from(lines, last.first))) if finished else ([], rest)


def _from(lines: list[str], first: int) -> str:
    return "\n".join(lines[first:])


def _blocks(
    spans: Sequence[_Span], lines: list[str], rest: _Rest, references: MutableMapping[str, Any]
) -> tuple[list[Block], bool]:
    """The spans, which `rest` begins with, as blocks to print; and whether an empty line comes after them."""
    blocks: list[Block] = []
    apart = rest.apart
    for place, span in enumerate(spans):
        tokens, first = span.tokens, span.first
        if rest.standin and place == 0:
            tokens, first, apart = _without_standin(span, rest), first + 1, False
        if tokens:
            tokens = complete(tokens, lines, {"references": references})
            blocks.append(Block(tokens, "\n".join(lines[first : span.end]), apart=apart))
        apart = span.kind != "hr"
    return blocks, apart


def _without_standin(span: _Span, rest: _Rest) -> list[Token]:
    """The tokens of what is not printed yet."""
    head = span.tokens[0]
    if head.type == "fence":
        if not head.content.strip():
            return []
        code = "".join(f"{line}\n" for line in rest.code)
        while len(code) > _CONTEXT:
            code = code.partition("\n")[2]
        return [head.copy(meta={**head.meta, "before": code})]
    items = _items(span)
    if len(items) < 2:
        return []
    return [head.copy(attrs={"start": rest.number}), *span.tokens[items[1] :]]


def _cut(rest: _Rest) -> _Rest:
    """The end of a long rest. Where it begins moves in steps, so that the lines do not break anew at every piece."""
    if rest.kind == "table_open" and rest.text.count("\n") > 2 * _TABLE:
        head, line, body = rest.text.split("\n", 2)
        return _Rest("\n".join([head, line, *body.rsplit("\n", _TABLE)[1:]]), apart=rest.apart)
    if len(rest.text) <= 2 * _CUT:
        return rest
    at = (len(rest.text) - _CUT) // 1024 * 1024
    line_end = rest.text.find("\n", at, at + 1024)
    word_end = _WORD_END.search(rest.text, at, at + 1024)
    at = line_end + 1 if line_end >= 0 else word_end.end() if word_end else at
    opening = (rest.standin + rest.text).partition("\n")[0] + "\n" if rest.kind == "fence" else ""
    return _Rest(rest.text[at:], standin=opening)
