"""A session as one HTML page: conversation, timeline and sequence diagram, without a script and without the network.

The text is untrusted: HTML in it stays text, links work only with http, https or mailto, images become their description and
address as text. As a second defence, a Content-Security-Policy forbids scripts and requests.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from ..core.events import Record
from ..store.transcript import ExchangeEntry, ToolEntry, Transcript
from ..text.call_text import call_line, call_text, output_text
from ..text.figures import duration, local_time
from ..text.footnotes import web_address
from ..text.safe_text import clean, clean_line
from ..text.status_text import reason_text
from ..text.urls import split_urls
from .call_facts import call_facts, call_mark
from .code_colours import code_style, coloured
from .css import STYLE
from .markdown import data_block
from .sequence import arrows
from .svg import sequence_svg, timeline_svg
from .timings import ExchangeSpans, exchange_spans

__all__ = ["page"]

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def page(transcript: Transcript, records: Sequence[Record]) -> str:
    """The whole page."""
    title = escape(clean_line(transcript.title or transcript.id))
    spans = exchange_spans(records)
    drawn = {number: list(group) for number, group in groupby(arrows(records), key=lambda arrow: arrow.exchange)}
    body = []
    for number, entry in enumerate(transcript.exchanges, 1):
        span = spans[number - 1] if number <= len(spans) else None
        body.append(_exchange(number, entry, span, sequence_svg(drawn.get(number, []))))
    tokens = transcript.usage
    head = " · ".join(
        escape(clean_line(part))
        for part in (
            local_time(transcript.created),
            f"{transcript.provider} {transcript.model}",
            f"{transcript.exchange_count} turns",
            f"{tokens.input:,} → {tokens.output:,} tokens",
            str(transcript.state),
        )
        if part.strip()
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="referrer" content="no-referrer">'
        f"<title>{title}</title><style>{STYLE}{code_style()}</style></head>\n<body><main>"
        f"<header><h1>{title}</h1><p>{head}</p><p><code>{escape(clean_line(transcript.id))}</code></p></header>\n"
        f"{''.join(body)}</main><footer>asst</footer></body></html>\n"
    )


def _exchange(number: int, entry: ExchangeEntry, spans: ExchangeSpans | None, sequence: str) -> str:
    who = escape(clean_line(f"{entry.provider} {entry.model}")) or "Assistant"
    reason = f": {escape(reason_text(entry.reason))}" if entry.reason else ""
    settled = f'<p class="state {entry.state}">{entry.state}{reason}{" · undone" if entry.withdrawn else ""}</p>'
    answer = _markdown(data_block(entry) or entry.answer) + _sources(entry)
    thought = f"<details><summary>Reasoning</summary>{_markdown(entry.reasoning)}</details>" if entry.reasoning else ""
    took = f" · {duration(spans.seconds)}" if spans else ""
    timeline = timeline_svg(spans) + _LEGEND if spans else ""
    return (
        f'<section id="e{number}"><div class="user"><h2>You</h2><pre>{_linked(clean(entry.user))}</pre></div>'
        f'<div class="assistant"><h2>{who}</h2>{thought}{"".join(map(_tool, entry.tools))}{answer}{settled}</div>'
        f'<details class="drawing" open><summary>Timeline{took}</summary>{timeline}</details>'
        f'<details class="drawing"><summary>Sequence</summary>{sequence}</details></section>\n'
    )


_LEGEND = (
    '<p class="legend">'
    + "".join(f'<span class="{kind}"></span>{kind} ' for kind in ("waiting", "streaming", "tools", "approval"))
    + "</p>"
)


def _sources(entry: ExchangeEntry) -> str:
    items = []
    for source in entry.sources:
        words = escape(clean_line(source.title) or clean_line(source.url))
        address = web_address(source)
        link = f'<a href="{escape(address)}" rel="noopener noreferrer nofollow">{words}</a>' if address else words
        items.append(f"<li>{link}</li>")
    return f'<ol class="sources">{"".join(items)}</ol>' if items else ""


def _tool(tool: ToolEntry) -> str:
    mark, facts = call_mark(tool), call_facts(tool)
    result = tool.error if tool.error is not None else tool.output
    return (
        f'<details class="tool{" failed" if mark == "✗" else ""}"><summary>{mark} '
        f"{escape(call_line(tool.name))}{f' · {facts}' if facts else ''}</summary>"
        f"<pre>{escape(call_text(tool.arguments))}</pre><pre>{escape(output_text(result))}</pre></details>"
    )


# ---- harmless Markdown ------------------------------------------------------------------------------------------------


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
        return f"<pre><code>{coloured(tokens[idx].content, language)}</code></pre>\n"


_PARSER = MarkdownIt("commonmark", {"html": False}, renderer_cls=_Renderer).enable(["table", "strikethrough"])


def _link_urls(state: StateCore) -> None:
    """Make links of the URLs that stand in the text as such."""
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


_PARSER.core.ruler.push("urls", _link_urls)


def _linked(text: str) -> str:
    """Text with its URLs as links."""
    return "".join(
        f'<a href="{escape(piece)}" rel="noopener noreferrer nofollow">{escape(piece)}</a>' if is_url else escape(piece)
        for piece, is_url in split_urls(text)
    )


def _markdown(text: str) -> str:
    if not text:
        return ""
    if len(text) > _LONGEST:
        return f"<pre>{escape(clean(text))}</pre>"
    return f'<div class="md">{_PARSER.render(clean(text))}</div>'


_LONGEST = 400_000
"""Characters of an answer that are laid out as Markdown. A longer answer is shown as text."""
