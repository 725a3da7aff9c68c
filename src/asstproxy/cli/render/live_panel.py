"""The moving part of the screen: the end of the answer, and below it the panel of the exchange."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from rich import box
from rich.console import Console, ConsoleOptions, Group, OverflowMethod, RenderableType, RenderResult
from rich.panel import Panel
from rich.segment import Segment
from rich.text import Text

from .markdown_stream import MarkdownStream
from .reasoning import ReasoningView
from .timeline import rows_of
from .tool_calls import CallLine

__all__ = ["LivePanel"]

_CALLS = 6
"""System lines in the panel at most."""
_REASONING = 3
"""Rows of reasoning at most."""


class _OneRow(TypedDict):
    no_wrap: bool
    overflow: OverflowMethod


class LivePanel:
    """One frame. `widths` are the columns of each of its rows, once it is drawn."""

    def __init__(
        self,
        *,
        title: str,
        steps: Sequence[Text],
        words: str,
        calls: Sequence[CallLine],
        reasoning: ReasoningView | None,
        answer: MarkdownStream,
        draft: str = "",
    ) -> None:
        self._title = title
        self._steps = steps
        self._words = words
        self._calls = calls
        self._reasoning = reasoning
        self._answer = answer
        self._draft = draft
        self.widths: list[int] = []

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        inner = options.update(width=max(1, options.max_width - 4), height=None)
        panel = Panel(
            Group(*self._content(console, inner)),
            title=Text(self._title, style="asst.assistant", no_wrap=True, overflow="ellipsis"),
            title_align="left",
            subtitle=Text("Ctrl-C stops", style="asst.border"),
            subtitle_align="right",
            border_style="asst.border",
            box=box.ROUNDED,
        )
        below = console.render_lines(panel, options.update(height=None), pad=False)
        above = self._answer.tail(console.height - len(below) - 1).rows(console, options)
        rows = [*above, [], *below]
        self.widths = [Segment.get_line_length(row) for row in rows]
        for row in rows:
            yield from row
            yield Segment.line()

    def _content(self, console: Console, options: ConsoleOptions) -> list[RenderableType]:
        content: list[RenderableType] = [*rows_of(self._steps, options.max_width)]
        if self._words:
            content.append(_row(self._words))
        shown = self._calls
        if len(shown) > _CALLS:  # the ones that still run are more interesting
            unfinished = [call for call in shown if call.status in ("waiting", "running")]
            shown = (unfinished or shown)[-_CALLS:]
        content += shown
        if more := len(self._calls) - len(shown):
            ended = sum(call.status not in ("waiting", "running") for call in self._calls)
            content.append(_row(f"… {more} more, {ended} done", style="dim"))
        if self._reasoning is not None:
            content += self._reasoning.rows(console, options, _REASONING)
        if self._draft:
            content.append(Text.assemble(("Your next message:", "asst.person"), " ", self._draft, **_ONE_ROW))
        return content


_ONE_ROW: _OneRow = {"no_wrap": True, "overflow": "ellipsis"}


def _row(text: str, style: str = "") -> Text:
    return Text(text, style=style, **_ONE_ROW)
