r"""Formulas in Markdown, which are left as they were written: `$…$`, `$$…$$`, `\(…\)` and `\[…\]`.

Rules for markdown-it. Whether a line begins a formula is decided by that line alone, so that an answer that arrives in pieces is
divided as the whole is.
"""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.ruler import RuleOptionsType
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline

__all__ = ["add_block_rule", "add_inline_rule"]

_BEGINS = re.compile(r"\$\$(?!\$)|\\\[(?=\s|$|.*\\\]$)")
_CLOSING = {"$$": "$$", "\\[": "\\]"}
_INLINE = re.compile(
    r"\$\$(?!\$).+?\$\$|\\\(.+?\\\)|\\\[.+?\\\]"
    # As Pandoc has it: money, and names of shell variables, are not formulas.
    r"|\$(?![\s$])[^$\n]*?[^\s$\\]\$(?!\d)",
    re.DOTALL,
)
_LONG = 2_000
"""Characters of a formula within a line at most."""


def add_block_rule(parser: MarkdownIt) -> MarkdownIt:
    """Let the parser know formulas that begin a line; they end with their mark, or at an empty line."""
    options: RuleOptionsType = {"alt": ["paragraph", "reference", "blockquote", "list"]}
    parser.block.ruler.before("fence", "math_block", _block, options)
    return parser


def add_inline_rule(parser: MarkdownIt) -> MarkdownIt:
    """Let the parser know formulas within a line."""
    parser.inline.ruler.before("escape", "math_inline", _inline)
    return parser


def _block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    if state.is_code_block(start):
        return False
    first = _line(state, start)
    begins = _BEGINS.match(first)
    if begins is None:
        return False
    if silent:
        return True
    closing = _CLOSING[begins[0]]
    line, text = start, first[len(begins[0]) :]
    while True:
        line += 1
        if text.endswith(closing) or line >= end or state.isEmpty(line) or state.sCount[line] < state.blkIndent:
            break
        text = _line(state, line)
    token = state.push("math_block", "math", 0)
    token.content = "\n".join(_line(state, number) for number in range(start, line)) + "\n"
    token.map = [start, line]
    state.line = line
    return True


def _line(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]].rstrip()


def _inline(state: StateInline, silent: bool) -> bool:
    if state.src[state.pos] not in "$\\":
        return False
    found = _INLINE.match(state.src, state.pos, min(state.posMax, state.pos + _LONG))
    if found is None:
        return False
    if not silent:
        state.push("text", "", 0).content = found[0].replace("\n", " ")
    state.pos = found.end()
    return True
