"""Markdown whose raw HTML is text: a page made of it runs nothing, and code stays as it is."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.token import Token

__all__ = ["harmless_markdown"]

_PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
_CODE_SPAN = re.compile(r"(?<![\\`])(`+)(?!`)(.+?)(?<!`)\1(?!`)")
_TAG = re.compile(r"(?<!\\)<(?=[A-Za-z/!?])(?!https?://[^\s<>]*>|mailto:[^\s<>]*>)")


def harmless_markdown(text: str) -> str:
    """The text with `<` of raw HTML escaped; code and links are left alone.

    If a parser still finds HTML in it, each `<` outside blocks of code is escaped.
    """
    if "<" not in text:
        return text
    code = _code_lines(text)
    lines = text.split("\n")
    escaped = "\n".join(line if number in code else _escaped(line) for number, line in enumerate(lines))
    if not _has_html(_PARSER.parse(escaped)):
        return escaped
    code = _code_lines(text) & _code_lines(escaped)
    return "\n".join(line if number in code else line.replace("<", "&lt;") for number, line in enumerate(lines))


def _escaped(line: str) -> str:
    out, at = [], 0
    for span in _CODE_SPAN.finditer(line):
        out += [_TAG.sub(r"\\<", line[at : span.start()]), span[0]]
        at = span.end()
    return "".join([*out, _TAG.sub(r"\\<", line[at:])])


def _code_lines(text: str) -> set[int]:
    """The numbers of the lines that are blocks of code."""
    blocks = (token for token in _PARSER.parse(text) if token.type in ("fence", "code_block") and token.map)
    return {number for token in blocks if token.map for number in range(*token.map)}


def _has_html(tokens: list[Token]) -> bool:
    return any(token.type.startswith("html_") or _has_html(token.children or []) for token in tokens)
