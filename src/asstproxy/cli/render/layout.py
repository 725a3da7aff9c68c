"""The layout of a conversation: a fold of its records into what is printed for good and what still moves.

The live view and the printed conversation (`sessions show`) both use it, so that they look the same.
"""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from ...core.events import (
    AssistantMessageRetrieved,
    Cited,
    Configured,
    Event,
    Heartbeat,
    HistoryCut,
    Notice,
    Record,
    RetryScheduled,
    SchemaMismatch,
    SetUserMessage,
    Source,
    Started,
    TakenOver,
    ToolsExecuted,
    Unknown,
    Usage,
    is_message,
)
from ...core.script import ACTIVE, SETTLED, State
from ...text.footnotes import footnotes
from ...text.safe_text import clean, clean_line
from ...text.status_text import ending
from .assistant_text import AssistantText
from .live_panel import LivePanel
from .retry_countdown import PendingRetry, attempt_text
from .scrollback import Kind, Scrollback
from .timeline import ClosingLine, Timeline
from .tool_calls import ToolCalls

__all__ = ["Layout"]


class Layout:
    """Folds records. `echo`: show the user's messages, too (in a chat they are on the screen already)."""

    def __init__(self, *, echo: bool) -> None:
        self._echo = echo
        self._scrollback = Scrollback()
        self._profile = self._model = self._at = ""
        self._begin()

    def _begin(self) -> None:
        self._timeline: Timeline | None = None
        self._usage: Usage | None = None
        self._status = ""
        self._sources: list[Source] = []
        self._has_schema = False
        self._retry: PendingRetry | None = None
        self._text = AssistantText(self._scrollback)
        self._calls = ToolCalls(approvals=self._echo)

    # ---- what is shown ---------------------------------------------------------------------------------------------

    @property
    def is_active(self) -> bool:
        """Whether an exchange is running."""
        return self._timeline is not None and self._timeline.state in ACTIVE

    def take(self) -> list[RenderableType]:
        """What was finished since the last call: print it once, one below the other."""
        self._text.flush()
        return self._scrollback.take()

    def panel(self, since: float) -> LivePanel:
        """The rest as it is `since` seconds after the last record: the end of the answer, and the panel."""
        timeline = self._timeline
        steps = timeline.steps(since) if timeline is not None else []
        if timeline is not None and timeline.state is State.RUNNING and self._status:
            steps[-1].append(f" ({self._status})", style="dim")
        return LivePanel(
            title=" · ".join(filter(None, (self._name, self._model))),
            steps=steps,
            retry=self._retry.text(self._at, since) if self._retry is not None else None,
            calls=self._calls.lines(self._at, since),
            reasoning=self._text.reasoning,
            answer=self._text.answer,
        )

    def insert(self, part: RenderableType) -> None:
        """Print something else at this place."""
        self._text.flush()
        self._scrollback.insert(part)

    def close(self) -> None:
        """There are no more records: what is there of an unfinished exchange is printed."""
        self._end_parts()
        self._begin()

    # ---- the fold ---------------------------------------------------------------------------------------------------

    def fold(self, record: Record) -> None:
        """Fold the next record."""
        event = record.event
        self._at = record.at
        if is_message(event) and not isinstance(event, Heartbeat):
            self._retry = None
        if isinstance(event, SetUserMessage):
            self._open(event)
            self._has_schema = event.schema is not None
        if self._timeline is None and record.state in ACTIVE:
            self._timeline = Timeline(record)
        if self._timeline is not None:
            self._timeline.fold(record)
        self._calls.fold(record)
        self._fold_event(event)
        self._text.fold(event, self._at, self._name, self._model)
        if is_message(event) and record.state in SETTLED:
            self._settle(event)

    def _fold_event(self, event: Event | Unknown) -> None:
        match event:
            case Configured(profile=profile, provider=provider, model=model):
                self._profile, self._model = clean_line(profile or provider), clean_line(model)
            case Started(provider=provider, model=model):
                self._profile = self._profile or clean_line(provider)
                self._model = clean_line(model) or self._model
            case TakenOver(profile=profile, model=model):
                self._profile, self._model = clean_line(profile), clean_line(model)
            case Heartbeat(status=status):
                self._status = clean_line(status or "")
            case Usage() as usage if self._timeline is not None:
                self._usage = _sum(self._usage or Usage(), usage)
            case RetryScheduled(message=message):
                self._retry = PendingRetry(event, self._at)
                self._print("notice", _notice("Retry", f"{attempt_text(event, event.delay)}: {clean_line(message)}"))
            case Notice(text=text):
                self._print("notice", _notice("Notice", clean_line(text)))
            case SchemaMismatch(problems=problems):
                self._print("notice", _notice("2nd try", clean_line("; ".join(problems))))
            case Cited(sources=sources):
                self._sources += [source for source in sources if source not in self._sources]
            case HistoryCut(keep=keep) if self._echo:
                self._print("notice", _notice("Notice", _cut_text(keep)))
            case ToolsExecuted():
                self._end_calls()
            case _:
                pass

    def _open(self, message: SetUserMessage) -> None:
        self.close()
        if self._echo:
            lines = [Text(clean(message.text).strip("\n"), overflow="fold")] if message.text else []
            files = [
                Text(f"[{number}] {clean_line(one.label)}", style="dim", overflow="fold")
                for number, one in enumerate(message.attachments, 1)
            ]
            self._print("message", Text("You", style="asst.person"), *lines, *files)
        self._scrollback.mark("message")

    def _settle(self, event: Event | Unknown) -> None:
        self._end_parts()
        if self._sources:
            self._print("notice", *(Text(line, style="dim", overflow="fold") for line in footnotes(self._sources)))
        fits = self._has_schema and isinstance(event, AssistantMessageRetrieved)
        lines: list[RenderableType] = [Text("fits the schema", "asst.good")] if fits else [*_ending_lines(event)]
        if self._timeline is not None:
            lines.append(ClosingLine(self._timeline, self._usage))
        self._print("ending", *lines)
        self._begin()

    def _print(self, kind: Kind, *lines: RenderableType) -> None:
        self._text.flush()
        self._scrollback.add(kind, *lines)

    def _end_calls(self) -> None:
        if self._calls:
            self._print("tools", *self._calls.close(self._at))

    def _end_parts(self) -> None:
        self._text.end(self._at)
        self._end_calls()

    @property
    def _name(self) -> str:
        return self._profile or "assistant"


def _notice(label: str, text: str) -> Text:
    return Text.assemble((label, "asst.notice"), (" ▸ ", "dim"), text)


def _ending_lines(event: Event | Unknown) -> list[Text]:
    """How the exchange ended, and what to do; nothing for one that completed."""
    end = ending(event)
    if end is None:
        return []
    end = end.without_repeat()
    style = "asst.error" if end.label == "Error" else "asst.warning"
    lines = [Text.assemble((end.label, style), (" ▸ ", "dim"), end.message)]
    return [*lines, Text(f"  {end.hint}")] if end.hint else lines


def _cut_text(keep: int) -> str:
    if not keep:
        return "The assistant no longer sees what is above."
    kept = "the first turn" if keep == 1 else f"the first {keep} turns"
    return f"Of what is above, the assistant now sees only {kept}."


def _sum(one: Usage, other: Usage) -> Usage:
    return Usage(
        one.input_tokens + other.input_tokens,
        one.output_tokens + other.output_tokens,
        one.cached_tokens + other.cached_tokens,
        one.reasoning_tokens + other.reasoning_tokens,
        one.cache_write_tokens + other.cache_write_tokens,
    )
