"""What is printed below an answer: an error and what to do about it, why it was cut, its sources."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.padding import Padding
from rich.style import Style
from rich.text import Text

from ...core.events import Cancelled, Event, Unknown
from ...text.safe_text import clean_line
from ...text.status_text import ending, join_sentences, reason_text
from ...text.urls import split_urls
from .detail import Detail

__all__ = ["PersonHeading", "closing_note", "ending_lines", "labelled", "linked"]


class PersonHeading:
    """`You`, and at the right edge which turn it is."""

    def __init__(self, number: str) -> None:
        self.number = number

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        heading = Text("You", style="asst.person")
        gap = options.max_width - heading.cell_len - len(self.number)
        if self.number and gap >= 2:
            heading.append(" " * gap + self.number, style=Style(bold=False, dim=True, color="default"))
        yield heading


def ending_lines(event: Event | Unknown, detail: Detail) -> Iterator[RenderableType]:
    """How the exchange ended, and what to do; nothing for one that completed or was stopped (its closing line says so)."""
    end = ending(event)
    if end is None or isinstance(event, Cancelled):
        return
    end = end.without_repeat()
    hint = clean_line(detail.hint(event)) if detail.hint is not None else ""
    yield from labelled(end.label, end.message, join_sentences(end.hint, hint))


def labelled(label: str, message: str, hint: str) -> Iterator[RenderableType]:
    """What happened, after a label in bold red (`Error`) or yellow; below it, indented, what to do."""
    style = "asst.error" if label == "Error" else "asst.notice"
    yield Text.assemble((f"{label}:", style), " ", linked(message, style=""))
    if hint:
        yield Padding(linked(hint, style=""), (0, 0, 0, 2), expand=False)


def closing_note(event: Event | Unknown, *, has_text: bool) -> tuple[str, str]:
    """What the closing line says of an exchange that was stopped: why, and whether a part of it was saved."""
    if not isinstance(event, Cancelled):
        return "", ""
    return reason_text(event.reason), "the part above is saved" if has_text else ""


def linked(text: str, style: str = "dim") -> Text:
    """A text whose web addresses are links."""
    line = Text(style=style, overflow="fold")
    for piece, is_url in split_urls(text):
        line.append(piece, Style(link=piece) if is_url else None)
    return line
