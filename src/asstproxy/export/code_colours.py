"""Colours of code in the HTML page: classes, and the styles for them in light and dark."""

from __future__ import annotations

from functools import lru_cache
from html import escape
from typing import Any

__all__ = ["code_style", "coloured"]

_LONG_LINE, _LONG = 2_000, 100_000
"""Code with a longer line, or longer as a whole, is not coloured: lexers use regular expressions, and some of them explode."""
_CLASSES = "c-"


def coloured(code: str, language: str) -> str:
    """Code as HTML; plain if the language is unknown."""
    lexer = _lexer(language) if language and len(code) <= _LONG else None
    if lexer is None or max(map(len, code.split("\n"))) > _LONG_LINE:
        return escape(code)
    from pygments import highlight

    return str(highlight(code, lexer, _formatter("default")))


def code_style() -> str:
    """The styles for what `coloured` returns."""
    dark = _formatter("github-dark").get_style_defs(".md pre")
    light = _formatter("default").get_style_defs(".md pre")
    return f"{_tokens_only(light)}\n@media(prefers-color-scheme:dark){{{_tokens_only(dark)}}}"


def _tokens_only(css: str) -> str:
    """Without the rules of line numbers and of the block itself, whose colours are the page's."""
    return "\n".join(line.partition(" /*")[0] for line in css.splitlines() if f".{_CLASSES}" in line)


def _formatter(style: str) -> Any:
    from pygments.formatters import HtmlFormatter

    return HtmlFormatter(style=style, nowrap=True, classprefix=_CLASSES)


@lru_cache(maxsize=64)
def _lexer(name: str) -> Any:
    """The lexer of that name, cached: looking for an unknown name searches all installed packages."""
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        return get_lexer_by_name(name, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None
