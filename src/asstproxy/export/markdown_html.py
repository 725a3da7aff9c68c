"""Markdown of a model as HTML that runs nothing and loads nothing: HTML in it stays text, images become words.

The same for exported pages and for the page of `asst web`.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping, Sequence
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from ..text.safe_text import clean
from ..text.urls import split_urls
from .code_colours import coloured

__all__ = ["linked", "markdown_html"]

_LONGEST = 400_000
"""Characters of an answer that are laid out as Markdown. A longer answer is shown as text."""


class _Renderer(RendererHTML):
    def image(self, tokens: Sequence[Any], idx: int, options: Any, env: Any) -> str:  # noqa: ARG002 - the library's signature
        """An image as text: loading it would be a request."""
        token = tokens[idx]
        return escape(f"[image: {token.content} {token.attrs.get('src', '')}]")

    def link_open(self, tokens: Sequence[Any], idx: int, options: Any, env: Any) -> str:  # noqa: ARG002
        """A link that sends no referrer; only text, where its scheme is not allowed."""
        href = str(tokens[idx].attrs.get("href", ""))
        if not href.lower().startswith(("http://", "https://", "mailto:", "#")):
            return '<a class="dead">'
        return f'<a href="{escape(href)}" rel="noopener noreferrer nofollow" title="{escape(href)}">'

    def fence(self, tokens: Sequence[Any], idx: int, options: Any, env: Any) -> str:  # noqa: ARG002
        """A block of code, in colours."""
        language = tokens[idx].info.strip().partition(" ")[0]
        named = f' data-language="{escape(language)}"' if language else ""
        return f"<pre{named}><code>{coloured(tokens[idx].content, language)}</code></pre>\n"


_PARSER = MarkdownIt("commonmark", {"html": False}, renderer_cls=_Renderer).enable(["table", "strikethrough"])


def _link_urls(state: StateCore) -> None:
    """Make links of the bare URLs in the text."""
    for block in state.tokens:
        children: list[Token] = []
        inside = 0
        for token in block.children or ():
            inside += token.nesting if token.type in ("link_open", "link_close") else 0
            children += [token] if inside or token.type != "text" else _with_links(token)
        block.children = children if block.children is not None else None


def _with_links(token: Token) -> Iterator[Token]:
    for piece, is_url in split_urls(token.content):
        text = Token("text", "", 0, content=piece, level=token.level)
        if is_url:
            yield from (Token("link_open", "a", 1, attrs={"href": piece}), text, Token("link_close", "a", -1))
        else:
            yield text


def _align_by_class(state: StateCore) -> None:
    """Columns of a table are aligned by a class: a page whose policy forbids inline styles shows them, too."""
    for token in state.tokens:
        if token.type in ("th_open", "td_open") and (style := token.attrs.pop("style", None)):
            token.attrs["class"] = str(style).removeprefix("text-align:")


_PARSER.core.ruler.push("urls", _link_urls)
_PARSER.core.ruler.push("align", _align_by_class)


def linked(text: str) -> str:
    """Text with its URLs as links."""
    return "".join(
        f'<a href="{escape(piece)}" rel="noopener noreferrer nofollow">{escape(piece)}</a>' if is_url else escape(piece)
        for piece, is_url in split_urls(text)
    )


def markdown_html(text: str, definitions: MutableMapping[str, Any] | None = None) -> str:
    """The HTML of a text. `definitions`: link definitions of what came before; those of this text are added."""
    if len(text) > _LONGEST:
        return f"<pre>{escape(clean(text))}</pre>"
    return str(_PARSER.render(clean(text), {"references": {} if definitions is None else definitions}))
