"""A session as one HTML page: conversation, timeline and sequence diagram, without a script and without the network.

The text is untrusted: HTML in it stays text, links work only with http, https or mailto, images become their description and
address as text. As a second defence, a Content-Security-Policy forbids scripts and requests. Attached pictures are in the page.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from contextlib import suppress
from html import escape
from itertools import groupby

from ..core.attachment import Attachment, AttachmentStore
from ..core.events import Record
from ..store.transcript import ExchangeEntry, ToolEntry, Transcript
from ..text.call_text import call_line, call_text, output_text
from ..text.figures import duration, local_time
from ..text.footnotes import web_address
from ..text.safe_text import clean, clean_line
from ..text.status_text import reason_text
from .call_facts import call_facts, call_mark
from .code_colours import code_style
from .css import STYLE
from .markdown import data_block
from .markdown_html import linked, markdown_html
from .sequence import arrows
from .svg import sequence_svg, timeline_svg
from .timings import ExchangeSpans, exchange_spans

__all__ = ["page"]

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


_SHOWN = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp")
"""The pictures that a browser shows; none of these types can hold a script."""


def page(transcript: Transcript, records: Sequence[Record], files: AttachmentStore | None = None) -> str:
    """The whole page. `files` has the bytes of attachments."""
    title = escape(clean_line(transcript.title or transcript.id))
    spans = exchange_spans(records)
    drawn = {number: list(group) for number, group in groupby(arrows(records), key=lambda arrow: arrow.exchange)}
    body = []
    for number, entry in enumerate(transcript.exchanges, 1):
        span = spans[number - 1] if number <= len(spans) else None
        body.append(_exchange(number, entry, span, sequence_svg(drawn.get(number, [])), files))
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


def _exchange(
    number: int, entry: ExchangeEntry, spans: ExchangeSpans | None, sequence: str, files: AttachmentStore | None
) -> str:
    attached = "".join(_attachment(one, files) for one in entry.attachments)
    who = escape(clean_line(f"{entry.provider} {entry.model}")) or "Assistant"
    reason = f": {escape(reason_text(entry.reason))}" if entry.reason else ""
    settled = f'<p class="state {entry.state}">{entry.state}{reason}{" · undone" if entry.withdrawn else ""}</p>'
    answer = _answer(data_block(entry) or entry.answer) + _sources(entry)
    thought = f"<details><summary>Reasoning</summary>{_answer(entry.reasoning)}</details>" if entry.reasoning else ""
    took = f" · {duration(spans.seconds)}" if spans else ""
    timeline = timeline_svg(spans) + _LEGEND if spans else ""
    asked = f"<h2>You</h2><pre>{linked(clean(entry.user))}</pre>{attached}"
    if entry.compacts:
        asked = "<h2>asst</h2><pre>Summarise the turns above.</pre>"
    return (
        f'<section id="e{number}"><div class="user">{asked}</div>'
        f'<div class="assistant"><h2>{who}</h2>{thought}{"".join(map(_tool, entry.tools))}{answer}{settled}</div>'
        f'<details class="drawing" open><summary>Timeline{took}</summary>{timeline}</details>'
        f'<details class="drawing"><summary>Sequence</summary>{sequence}</details></section>\n'
    )


def _attachment(attachment: Attachment, files: AttachmentStore | None) -> str:
    label, picture = escape(clean_line(attachment.label)), ""
    if attachment.media_type in _SHOWN and files is not None:
        with suppress(OSError), files.open(attachment) as content:
            data = base64.b64encode(content.read()).decode()
            picture = (
                f'<img src="data:{attachment.media_type};base64,{data}" alt="{escape(clean_line(attachment.name))}">'
            )
    return f"<figure>{picture}<figcaption>{label}</figcaption></figure>"


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


def _answer(text: str) -> str:
    return f'<div class="md">{markdown_html(text)}</div>' if text else ""
