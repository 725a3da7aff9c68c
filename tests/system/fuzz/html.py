"""The exported page: whatever was said, it is well-formed, has no script, sends no request, and nothing said is markup."""

from __future__ import annotations

from collections.abc import Sequence
from html.parser import HTMLParser

from asstproxy import Record, State
from asstproxy.core.events import (
    ActionRequired,
    AssistantMessageRetrieved,
    Configured,
    Event,
    Reasoning,
    SessionOpened,
    SetUserMessage,
    Started,
    Titled,
    ToolCall,
    ToolFinished,
    ToolOutputsSubmitted,
    ToolResult,
    ToolsExecuted,
)
from asstproxy.core.script import STEPS
from asstproxy.export.html import page
from asstproxy.store.transcript import TranscriptBuilder

SEEDS = [
    b"<script>alert(1)</script>\0[x](javascript:alert(1)) ![i](http://e/x.png)\0<img src=x onerror=alert(1)>\0'\"><svg/onload=1>",
    b'| a | b |\n|---|---|\n| `<b>` | <http://a.b/"onclick=1> |\0```html\n</pre><script>\n```\0&lt;&#x3c;\0<!--',
    b"[a]: java\tscript:x\n[a] [b](data:text/html,<script>) <mailto:a@b>\0]]>\0<style>@import 'x'</style>\0\xff\xfe",
]
FOUND: list[bytes] = []
_TAGS = frozenset(
    """
    html head meta title style body main header footer section div h1 h2 h3 h4 h5 h6 p pre code a em strong s
    ul ol li table thead tbody tr th td blockquote hr br span details summary svg text title line circle rect
    path polygon g defs marker
    """.split()  # noqa: SIM905 - a list of quotes is harder to read
)
_ATTRIBUTES = frozenset(
    """
    lang charset http-equiv content name class id href rel title open viewbox role aria-label x y width height
    d x1 x2 y1 y2 cx cy r rx points text-anchor style start transform fill markerwidth markerheight refx refy
    orient marker-end data-language
    """.split()  # noqa: SIM905 - a list of quotes is harder to read
)
_VOID = frozenset(("meta", "hr", "br"))


class _Checker(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        assert tag in _TAGS, tag
        for name, value in attrs:
            assert name in _ATTRIBUTES, (tag, name)
            if name == "href":
                assert (value or "").lower().startswith(("http://", "https://", "mailto:", "#")), value
            if name == "data-language":  # a fence's info string, shown by the page: any text
                assert tag == "pre"
            if name == "style":
                assert (value or "").startswith("text-align:"), value
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open, tag
        assert self.open.pop() == tag

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)


def target(data: bytes) -> None:
    """Its parts (NUL stands between them) are all that a person, a model and a tool said."""
    parts = [part.decode(errors="surrogateescape") for part in data.split(b"\0")]
    said = [*parts, *[""] * 9]
    call, result = ToolCall(said[2], said[3], said[4]), ToolResult(said[2], said[5])
    events: list[Event] = [
        SessionOpened(said[6]),
        Configured(said[7], said[7], said[8]),
        Titled(said[8]),
        SetUserMessage(said[0]),
        Started(said[7], said[8]),
        ActionRequired((call,), said[6]),
        ToolFinished(result, 0.1),
        ToolsExecuted((result,)),
        ToolOutputsSubmitted(),
        Reasoning(said[3]),
        AssistantMessageRetrieved(said[1]),
    ]
    state, records, fold = State.NEW, [], TranscriptBuilder(said[6])
    for seq, event in enumerate(events, 1):
        state = STEPS[event.type].dest if event.type in STEPS else state
        records.append(Record(seq, f"2026-11-22T19:45:00.{seq:03}Z", state, event))
        fold.feed(records[-1])
    made = page(fold.transcript, records)
    checker = _Checker()
    checker.feed(made)
    checker.close()
    assert checker.open == []
    assert made.count("<style>") == 1
