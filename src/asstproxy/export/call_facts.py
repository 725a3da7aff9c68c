"""What became of a tool call, for the exports: a mark and a few words."""

from __future__ import annotations

from ..store.transcript import ToolEntry
from ..text.call_text import approval_words, refusal_words
from ..text.figures import duration

__all__ = ["call_facts", "call_mark"]


def call_mark(tool: ToolEntry) -> str:
    """`✓` done, `✗` failed, `–` not run, or stopped before it had a result."""
    if tool.approved is False or (tool.error is None and not tool.output and tool.seconds is None):
        return "–"
    return "✓" if tool.error is None else "✗"


def call_facts(tool: ToolEntry) -> str:
    """How long it took and who decided: `1.5 s · you said yes`; empty if neither is known."""
    if tool.approved is False:
        return refusal_words(tool.decided_by)
    if call_mark(tool) == "–":
        return "no result"
    took = duration(tool.seconds) if tool.seconds is not None else ""
    return " · ".join(filter(None, (took, approval_words(tool.decided_by))))
