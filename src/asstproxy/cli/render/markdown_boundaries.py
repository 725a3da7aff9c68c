"""Where the blocks of a Markdown text begin and end while the text grows.

Rules. (1) Boundaries are found with markdown-it's block rules on whole lines: an unfinished line may still become
something else ("1" may become "1."). (2) Every block before the last top-level block is finished: new text can only
extend the last one. (3) Two kinds of block grow long and are finished in pieces: a list item by item, an open fence 16
lines at a time.

When a piece of a block is finished, the rest of the block is parsed behind a *stand-in* for that piece: an item of the
same list, or the line that opened the fence. It puts the parser into the right state; its own output is dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from .markdown_math import add_block_rule

__all__ = ["Rest", "Span", "divide", "end_of", "parse"]

_PARSER = add_block_rule(MarkdownIt()).enable("table").disable("html_block")  # Rich drops HTML, so it must stay text
_PARSER.core.ruler.enableOnly(["normalize", "block"])

_PIECE = 16
"""Lines of an open fence that are finished at a time."""
_CONTEXT_LINES, _CONTEXT = 40, 4_000
"""Finished lines and characters, at most, that are highlighted again with the code after them."""
_CUT = 4_096
"""Of a longer rest, so many characters at its end are drawn."""
_TABLE = 48
"""Of a longer table, so many rows."""
_WORD_END = re.compile(r"\s")


@dataclass(slots=True)
class Rest:
    """The unfinished end of the text, and the state to parse it in."""

    text: str = ""
    standin: str = ""  # the line to parse it behind, if it begins within a block
    number: int = 1  # that of its first item, if that block is a list
    code: list[str] = field(default_factory=list)  # finished lines of that block, if it is a fence
    apart: bool = False  # an empty line comes before its first block
    kind: str = ""  # token type of its last block, as of the last search
    seen: int = 0  # characters that the last search has read
    due: int = 0  # characters at which the next search pays


@dataclass(slots=True)
class Span:
    """A parsed block, or one item of a list: the lines `first` to `end`. `joined`: no empty line separates it."""

    tokens: list[Token]
    first: int
    end: int
    joined: bool = False

    @property
    def kind(self) -> str:
        """The type of its first token."""
        return self.tokens[0].type


def parse(rest: Rest, source: str, references: MutableMapping[str, Any]) -> tuple[list[Span], list[str]]:
    """The blocks of `source` (the beginning of the rest), and the lines that their numbers refer to.

    Link definitions are added to `references`.
    """
    text = rest.standin + source
    tokens = _PARSER.parse(text, {"references": references})
    spans: list[Span] = []
    for token in tokens:
        if token.level == 0 and token.nesting >= 0:
            first, end = token.map or (0, 0)
            spans.append(Span([token], first, end))
        else:
            spans[-1].tokens.append(token)
    continued = bool(rest.standin)
    done: list[Span] = []
    for span in spans:
        if span.kind.endswith("list_open"):
            done += _items(span, rest.number if continued else None)
        elif not continued:
            done.append(span)
        elif span.tokens[0].content.strip():  # of a fence
            head = span.tokens[0].copy(meta={"before": _context(rest.code)})
            done.append(Span([head], span.first, span.end, joined=True))
        continued = False
    return done, text.split("\n")


def _items(span: Span, number: int | None) -> Iterator[Span]:
    """The items of a list, each as a list of its own. With a `number`, the first item is a stand-in, and the second has it."""
    head, *_, tail = span.tokens
    at = [place for place, token in enumerate(span.tokens) if token.type == "list_item_open" and token.level == 1]
    start = int(head.attrs.get("start", 1)) if number is None else number - 1
    for place, (begin, end) in enumerate(zip(at, [*at[1:], len(span.tokens) - 1], strict=True)):
        if place or number is None:
            first, last = span.tokens[begin].map or (0, 0)
            opened = head.copy(attrs={"start": start + place})
            yield Span([opened, *span.tokens[begin:end], tail], first, last, joined=place > 0)


def _context(code: list[str]) -> str:
    text = "".join(f"{line}\n" for line in code)
    while len(text) > _CONTEXT:
        text = text.partition("\n")[2]
    return text


def divide(spans: Sequence[Span], lines: Sequence[str], rest: Rest) -> tuple[Sequence[Span], Rest | None]:
    """The finished blocks and the rest that follows them; None when nothing is finished."""
    *finished, last = spans
    if last.kind == "fence":
        token = last.tokens[0]
        code = token.content.split("\n")[:-1]
        ready = len(code) - len(code) % _PIECE
        while ready and not code[ready - 1].strip():  # empty lines at the end of a fence aren't shown
            ready -= 1
        if ready:
            piece = token.copy(content="\n".join(code[:ready]) + "\n", meta={**token.meta, "open": True})
            begins = last.first + 1 + ready
            printed = [*(rest.code if last.joined else []), *code[:ready]]
            after = Rest(_from(lines, begins), lines[last.first] + "\n", code=printed[-_CONTEXT_LINES:])
            return [*finished, Span([piece], last.first, begins, joined=last.joined)], after
    if not finished:
        return [], None
    after = Rest(_from(lines, last.first))
    if last.joined:
        opened, line = last.tokens[0], lines[last.first]
        after.number = int(opened.attrs["start"])
        # Indented like the item itself: otherwise the item would belong to the stand-in.
        after.standin = line[: len(line) - len(line.lstrip())] + ("1" * (opened.tag == "ol")) + f"{opened.markup} x\n"
    return finished, after


def _from(lines: Sequence[str], first: int) -> str:
    return "\n".join(lines[first:])


def end_of(rest: Rest) -> Rest:
    """The end of a long rest. Its beginning moves in steps: otherwise the rows would wrap differently at every chunk."""
    if rest.kind == "table_open" and rest.text.count("\n") > 2 * _TABLE:
        head, line, body = rest.text.split("\n", 2)
        rows = body[-_CUT:].split("\n")[1:][-_TABLE:]
        if len(head) + len(line) <= _CUT:  # otherwise a thousand columns would take a second a frame
            return Rest("\n".join([head, line, *rows]), apart=rest.apart)
    if len(rest.text) <= 2 * _CUT:
        return rest
    at = (len(rest.text) - _CUT) // 1024 * 1024
    line_end = rest.text.find("\n", at, at + 1024)
    word_end = _WORD_END.search(rest.text, at, at + 1024)
    at = line_end + 1 if line_end >= 0 else word_end.end() if word_end else at
    opening = (rest.standin + rest.text).partition("\n")[0] + "\n" if rest.kind == "fence" else ""
    return Rest(rest.text[at:], opening)
