"""The inline content of a block: emphasis, code, links. A block's tokens get it before they are drawn."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping, Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from ...text.safe_text import clean
from .markdown_math import add_inline_rule

__all__ = ["complete", "with_marks"]

_PARSER = (
    add_inline_rule(MarkdownIt()).enable("strikethrough").disable("html_inline")
)  # Rich drops HTML, so it must stay text

_LONG = 10_000
"""A block with a longer paragraph is shown as it was written: parsing takes seconds for some that only look like links."""
_CELLS = 1_000
"""A table of more cells is shown as it was written: Rich lays out about 10,000 a second."""


def complete(tokens: Sequence[Token], lines: Sequence[str], env: MutableMapping[str, Any]) -> list[Token]:
    """The tokens with their inline content parsed; no tokens for a block to show as it was written.

    `lines` are the lines that they were parsed from; `env` has the link definitions.
    """
    if any(token.type == "inline" and len(token.content) > _LONG for token in tokens):
        return []
    done: list[Token] = []
    table: list[Token] = []
    for token in tokens:
        if token.type == "table_open" or table:
            table.append(token)
            if token.type == "table_close":
                done += table if _is_small(table) else [_as_written(table[0], lines)]
                table = []
        else:
            done.append(token)
    for token in done:
        if token.type == "inline":
            token.children = _children(token.content, env)
    return done


def with_marks(tokens: Sequence[Token]) -> list[Token]:
    """The tokens with the marks of Markdown where nothing has a colour: `code` keeps its backticks."""
    return [token if token.children is None else token.copy(children=_marked(token.children)) for token in tokens]


def _marked(children: Sequence[Token]) -> list[Token]:
    return [child.copy(content=f"`{child.content}`") if child.type == "code_inline" else child for child in children]


def _is_small(table: Sequence[Token]) -> bool:
    return sum(token.type in ("td_open", "th_open") for token in table) <= _CELLS


def _as_written(table: Token, lines: Sequence[str]) -> Token:
    first, end = table.map or (0, 0)
    token = Token("code_block", "code", 0)
    token.content = "\n".join(lines[first:end])
    return token


def _children(content: str, env: MutableMapping[str, Any]) -> list[Token]:
    children = _PARSER.parseInline(content, env)[0].children or []
    for child in children:
        if child.content:  # entities such as `&#8238;` are characters by now
            child.content = clean(child.content)
    return list(_linked(children))


def _linked(children: Sequence[Token]) -> Iterator[Token]:
    """Links as `text (address)`: a hidden address could lead anywhere. Both parts are hyperlinks, if the address is one of the web.

    They are styled like emphasis, which Rich does for every tag in `Markdown.inlines` (see `markdown_blocks`).
    """
    addresses: list[tuple[str, list[str]]] = []  # of the open links, each with the text that it shows
    for child in children:
        if child.type == "link_open":
            href = str(child.attrs.get("href", ""))
            addresses.append((href, []))
            yield Token("link_text_open", "link", 1)
            yield _hyperlink(href)
        elif child.type == "link_close":
            yield Token("link_close", "a", -1)
            yield Token("link_text_close", "link", -1)
            href, shown = addresses.pop()
            yield from _address(href, "".join(shown))
        elif child.type == "image":
            yield _text(f"image: {child.content}" if child.content else "image")
            yield from _address(str(child.attrs.get("src", "")), "")
        else:
            if addresses:
                addresses[-1][1].append(child.content)
            yield child


def _address(href: str, shown: str) -> Iterator[Token]:
    if not href or href in (shown, f"mailto:{shown}"):
        return
    yield _text(" (")
    yield _hyperlink(href)
    address = Token("address", "address", 0)
    address.content = clean(href[:40] + "…" if href.startswith("data:") else href)
    yield address
    yield Token("link_close", "a", -1)
    yield _text(")")


def _hyperlink(href: str) -> Token:
    """The beginning of a hyperlink (OSC 8); to nowhere, if the address is not one that may be opened."""
    safe = href if href.lower().startswith(("https://", "http://", "mailto:")) and clean(href) == href else ""
    return Token("link_open", "a", 1, attrs={"href": safe})


def _text(content: str) -> Token:
    token = Token("text", "", 0)
    token.content = content
    return token
