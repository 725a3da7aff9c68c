"""The timeline and the sequence diagram as SVG, for the HTML page."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from ..text.call_text import call_line
from ..text.figures import duration
from ..text.safe_text import clean_label
from .sequence import LANES, Arrow
from .timings import ExchangeSpans

__all__ = ["sequence_svg", "timeline_svg"]

_WIDTH, _ROW, _LEFT = 860, 22, 110
_LANE, _STEP = 90, 226


def timeline_svg(exchange: ExchangeSpans) -> str:
    """One exchange as bars: the whole exchange, then each tool."""
    whole = exchange.seconds or 1.0
    room = _WIDTH - _LEFT - 70
    rows = [("", exchange.spans), *((call_line(tool.name), [tool]) for tool in exchange.tools)]
    parts = []
    for number, (name, spans) in enumerate(rows):
        y = number * _ROW + 4
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 12}" class="name">{_text(name, 14)}</text>')
        for span in spans:
            x, width = _LEFT + span.start / whole * room, max((span.end - span.start) / whole * room, 1.5)
            title = f"{span.kind} {duration(span.end - span.start)}"
            parts.append(
                f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{_ROW - 7}" rx="2" class="{span.kind}">'
                f"<title>{escape(title)}</title></rect>"
            )
        seconds = sum(span.end - span.start for span in spans)
        parts.append(f'<text x="{_WIDTH - 62}" y="{y + 12}" class="time">{duration(seconds)}</text>')
    height = len(rows) * _ROW + 4
    return f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="timeline">{"".join(parts)}</svg>'


def sequence_svg(arrows: Sequence[Arrow]) -> str:
    """One exchange: four lanes, an arrow for each message."""
    head = f"head{arrows[0].exchange if arrows else 0}"  # a unique id: browsers ignore a marker in a drawing that is folded
    height = 48 + len(arrows) * 30
    marker = (
        f'<defs><marker id="{head}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7"'
        ' orient="auto-start-reverse"><path d="M0 0L8 4L0 8z" class="head"/></marker></defs>'
    )
    parts = [marker]
    for lane, name in enumerate(LANES):
        x = _LANE + lane * _STEP
        parts.append(f'<line x1="{x}" y1="34" x2="{x}" y2="{height}" class="lane"/>')
        parts.append(f'<rect x="{x - 64}" y="8" width="128" height="26" rx="6" class="actor"/>')
        parts.append(f'<text x="{x}" y="25" class="actor">{escape(name)}</text>')
    for number, arrow in enumerate(arrows):
        parts.append(_arrow(arrow, 64 + number * 30, head))
    return f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="sequence diagram">{"".join(parts)}</svg>'


def _arrow(arrow: Arrow, y: int, head: str) -> str:
    many = f" ×{arrow.count}" if arrow.count > 1 else ""
    label = f"{arrow.name}{many}{f': {arrow.text}' if arrow.text else ''}"
    whole = f"<title>{escape(duration(arrow.at))} {_text(label, 400)}</title>"
    source, target = _LANE + arrow.source * _STEP, _LANE + arrow.target * _STEP
    if source == target:
        return (
            f'<g class="{arrow.kind}">{whole}<circle cx="{source}" cy="{y - 4}" r="4"/>'
            f'<text x="{source + 10}" y="{y}" class="note">{_text(label, 90)}</text></g>'
        )
    toward = 3 if target > source else -3
    return (
        f'<g class="{arrow.kind}">{whole}<line x1="{source}" y1="{y}" x2="{target - toward}" y2="{y}" marker-end="url(#{head})"/>'
        f'<text x="{(source + target) / 2}" y="{y - 5}" class="label">{_text(label, 34)}</text></g>'
    )


def _text(text: str, longest: int) -> str:
    return escape(clean_label(text, longest))
