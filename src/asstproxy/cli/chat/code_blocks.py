"""The code blocks of an answer, as `/copy N` counts them."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["CodeBlock", "code_blocks"]


class CodeBlock(NamedTuple):
    """A block of code: its language, if the answer names it, and the code without the line end at its end."""

    language: str
    code: str


def code_blocks(markdown: str) -> list[CodeBlock]:
    """Every block of code in an answer, fenced or indented, in order; a fence that isn't closed goes on to the end."""
    from markdown_it import MarkdownIt  # late: the prompt is on the screen before an answer is looked into

    return [
        CodeBlock((token.info.split() or [""])[0], token.content.removesuffix("\n"))
        for token in MarkdownIt("commonmark").parse(markdown)
        if token.type in ("fence", "code_block")
    ]
