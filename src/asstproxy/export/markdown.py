"""A session as Markdown: readable as text, and safe to render."""

from __future__ import annotations

import re

from ..core.codec import indented
from ..core.events import Source
from ..store.transcript import ExchangeEntry, ToolEntry, Transcript
from ..text.call_text import call_line, call_text, output_text
from ..text.figures import local_time
from ..text.footnotes import web_address
from ..text.safe_text import clean, clean_line
from ..text.status_text import reason_text
from .call_facts import call_facts, call_mark
from .harmless_markdown import harmless_markdown

__all__ = ["data_block", "markdown"]


def markdown(transcript: Transcript) -> str:
    """The conversation: messages as quotations, answers as they are, tool calls as code."""
    who = f"{transcript.provider} {transcript.model}".strip()
    title = _text(transcript.title or transcript.id)
    head = f"# {title}\n\n{local_time(transcript.created)} · {_text(who)} · `{clean_line(transcript.id)}`\n"
    return head + "".join(_exchange(entry) for entry in transcript.exchanges)


def _text(text: str) -> str:
    return clean_line(text).replace("<", "\\<")


def _exchange(entry: ExchangeEntry) -> str:
    asked = "*asst asked for a summary of the turns above.*" if entry.compacts else harmless_markdown(clean(entry.user))
    parts = ["\n---\n", *(f"> {line}".rstrip() for line in asked.split("\n")), ""]
    if entry.attachments:
        parts += [f"- {harmless_markdown(clean_line(one.label))}" for one in entry.attachments] + [""]
    for tool in entry.tools:
        parts += [*_tool(tool), ""]
    if entry.answer:
        parts += [(data_block(entry) or harmless_markdown(clean(entry.answer))).rstrip(), ""]
    if entry.sources:
        parts += [*map(_footnote, range(1, len(entry.sources) + 1), entry.sources), ""]
    if entry.state != "completed":
        parts += [f"*{entry.state}{f': {_reason(entry.reason)}' if entry.reason else ''}*", ""]
    if entry.withdrawn:
        parts += ["*undone*", ""]
    return "\n".join(parts)


def data_block(entry: ExchangeEntry) -> str:
    """An answer that had to fit a schema, as a block of JSON; empty if it is none."""
    data = indented(entry.answer) if entry.schema is not None else ""
    return f"```json\n{clean(data)}\n```" if data else ""


def _footnote(number: int, source: Source) -> str:
    title = re.sub(r"([\\`*_\[\]<>])", r"\\\1", clean_line(source.title))
    address = web_address(source)
    link = f"<{address}>" if address else ""
    return f"{number}. {' · '.join(filter(None, (title, link)))}"


def _reason(reason: str) -> str:
    return harmless_markdown(clean_line(reason_text(reason)))


def _tool(tool: ToolEntry) -> list[str]:
    result = tool.error if tool.error is not None else tool.output
    mark, facts = call_mark(tool).replace("✓", "→"), call_facts(tool)
    text = f"{call_line(tool.name)}({call_text(tool.arguments)})\n{mark} {output_text(result)}".rstrip()
    text += f"\n({facts})" if facts else ""
    longest = max((len(ticks) for ticks in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return [fence, text, fence]
