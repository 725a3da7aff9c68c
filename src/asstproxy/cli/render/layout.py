"""The layout of a conversation: a fold of its records into what is printed for good and what still moves.

The live view and the printed conversation (`sessions show`) both use it, so that they look the same.
"""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from ...core.events import (
    ActionRequired,
    AssistantMessageRetrieved,
    Cancelled,
    ChunkReceived,
    Cited,
    Configured,
    ErrorOccurred,
    Event,
    Heartbeat,
    HistoryCompacted,
    HistoryCut,
    MessageIncomplete,
    Notice,
    Reasoning,
    Record,
    RetryScheduled,
    SchemaMismatch,
    SetUserMessage,
    Source,
    Started,
    TakenOver,
    ToolOutputsSubmitted,
    ToolsExecuted,
    Unknown,
    is_message,
)
from ...core.script import ACTIVE, SETTLED
from ...text.closing import Closing
from ...text.figures import count_of
from ...text.footnotes import footnotes
from ...text.safe_text import clean, clean_line
from .assistant_text import AssistantText
from .closing_line import ClosingLine
from .detail import Detail
from .ending_lines import PersonHeading, closing_note, ending_lines, linked
from .exchange_figures import Figures
from .live_panel import LivePanel
from .phase_text import Phase
from .retry_countdown import Retries
from .scrollback import Kind, Scrollback
from .timeline import StatesPath, Timeline
from .tool_calls import ToolCalls

__all__ = ["Layout"]


class Layout:
    """Folds records. `echo`: show the user's messages, too (in a chat they are on the screen already)."""

    def __init__(self, *, echo: bool, detail: Detail | None = None) -> None:
        self._echo = echo
        self._detail = detail or Detail()
        self._scrollback = Scrollback()
        self._profile = self._model = self._at = ""
        self._provider = ""
        self._known_model = clean_line(self._detail.model)
        self._configured: Record | None = None
        self._turn = 0
        self._sees_summary = False  # the assistant: in place of what was before
        self._is_summary = False  # what is folded is asst's own exchange: of that, only the result is shown
        self._begin()

    def _begin(self) -> None:
        self._timeline: Timeline | None = None
        self._figures = Figures(self._configured if self._detail.cost is not None else None)
        self._status = ""
        self._sources: list[Source] = []
        self._retries = Retries(self._at)
        self._tries = 1
        self._text = AssistantText(self._scrollback, self._detail)
        self._has_schema = False
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

    def panel(self, since: float, draft: str = "") -> LivePanel:
        """The rest as it is `since` seconds after the last record: the end of the answer, and the panel."""
        timeline = self._timeline
        return LivePanel(
            title=" · ".join(filter(None, (self._name, self._model))),
            steps=timeline.steps(since) if timeline is not None else [],
            words=self._retries.countdown(self._at, since) or self.phase(since),
            calls=self._calls.lines(self._at, since),
            reasoning=self._text.reasoning,
            answer=self._text.answer,
            draft=draft,
        )

    def phase(self, since: float) -> str:
        """What the exchange is doing, in words, `since` seconds after the last record; empty when none is running."""
        if self._timeline is None:
            return ""
        return Phase(
            self._timeline.state,
            self._name,
            self._model,
            status=self._status,
            seconds=self._timeline.now(since),
            thinking=self._text.reasoning is not None,
            calls=len(self._calls),
            done=self._calls.ended,
        ).words

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
        if isinstance(event, SetUserMessage):
            self._is_summary = event.compacts
        if self._is_summary and not isinstance(event, HistoryCompacted | HistoryCut | Configured):
            return
        if isinstance(event, SetUserMessage):
            self._open(event)
            self._has_schema = event.schema is not None
        if self._timeline is None and record.state in ACTIVE:
            self._timeline = Timeline(record)
        if self._timeline is not None:
            self._timeline.fold(record)
            self._figures.fold(record)
        self._calls.fold(record)
        self._fold_event(record)
        self._text.fold(event, self._at, self._name, self._model if self._model != self._known_model else "")
        if self._text.has_heading:
            self._known_model = self._model
        if is_message(event) and record.state in SETTLED:
            self._settle(event)

    def _fold_event(self, record: Record) -> None:
        match record.event:
            case Configured(profile=profile, provider=provider, model=model):
                self._profile, self._model = clean_line(profile or provider), clean_line(model)
                self._configured = record
            case Started(provider=provider, model=model):
                self._profile = self._profile or clean_line(provider)
                self._model = clean_line(model) or self._model
            case TakenOver(profile=profile, model=model):
                self._profile, self._model = clean_line(profile), clean_line(model)
                self._retries = Retries(record.at)
            case ToolOutputsSubmitted():
                self._retries = Retries(record.at)
            case Heartbeat(status=str() as status):
                self._status = clean_line(status)
            case RetryScheduled() as retry:
                self._retries.add(retry, record.at)
                self._tries += 1
            case ChunkReceived() | Reasoning() | ActionRequired() | AssistantMessageRetrieved() | MessageIncomplete():
                self._status = ""
                self._retries.resume()
                if line := self._retries.close():
                    self._print("notice", Text(line, style="asst.notice"))
            case Notice(text=text):
                self._print("notice", Text.assemble(("Notice:", "asst.notice"), " ", clean_line(text)))
            case SchemaMismatch(problems=problems):
                words = Text.assemble(("2nd try:", "asst.notice"), " ", clean_line("; ".join(problems)))
                self._print("notice", words)
            case Cited(sources=sources):
                self._sources += [source for source in sources if source not in self._sources]
            case HistoryCompacted(turns=turns, keep=keep) if self._echo:
                self._print("notice", Text(_compacted_text(turns, keep), style="asst.notice"))
                self._sees_summary = True
            case HistoryCut(keep=keep) if self._echo:
                self._sees_summary = self._sees_summary and keep > 0
                self._print("notice", Text(_cut_text(keep, after_summary=self._sees_summary), style="asst.notice"))
            case ToolsExecuted():
                self._end_parts()
            case _:
                pass

    def _open(self, message: SetUserMessage) -> None:
        self.close()
        self._turn += 1
        if self._echo:
            number = f"turn {self._turn} of {self._detail.turns}" if self._detail.turns else ""
            lines = [Text(clean(message.text).strip("\n"), overflow="fold")] if message.text else []
            files = [
                Text(f"[{place}] {clean_line(one.label)}", style="dim", overflow="fold")
                for place, one in enumerate(message.attachments, 1)
            ]
            self._print("message", PersonHeading(number), *lines, *files)
        self._scrollback.mark("message")

    def _settle(self, event: Event | Unknown) -> None:
        self._end_parts("you stopped the turn" if event == Cancelled() else "")
        if self._sources:
            self._print("notice", *map(linked, footnotes(self._sources)))
        fits = self._has_schema and isinstance(event, AssistantMessageRetrieved)
        lines: list[RenderableType] = list(ending_lines(event, self._detail))
        if fits:
            lines.append(Text("fits the schema", "asst.good"))
        if (timeline := self._timeline) is not None:
            note, saved = closing_note(event, has_text=self._figures.has_answer)
            if self._detail.states:
                lines.append(StatesPath(timeline, (self._figures.tokens or (0, 0))[1]))
            closing = Closing(
                str(timeline.state),
                timeline.total(),
                self._figures.tokens,
                self._figures.price(self._detail.cost),
                self._figures.tools,
                self._tries if isinstance(event, ErrorOccurred | Cancelled) else 1,
                note,
                saved,
                self._detail.again if isinstance(event, Cancelled) else "",
            )
            lines.append(ClosingLine(closing))
        self._print("ending", *lines)
        self._begin()

    def _print(self, kind: Kind, *lines: RenderableType) -> None:
        self._text.flush()
        self._scrollback.add(kind, *lines)

    def _end_parts(self, why: str = "") -> None:
        self._text.end(self._at)
        if self._calls:
            self._print("tools", *self._calls.close(self._at, why))

    @property
    def _name(self) -> str:
        return self._profile or "assistant"


def _compacted_text(turns: int, keep: int) -> str:
    what = "turn" if turns == 1 else f"{turns} turns"
    if not keep:
        return f"The {what} above became a summary for the assistant."
    rest = "the last one stayed as it was" if keep == 1 else f"the last {keep} stayed as they were"
    return f"The first {what} became a summary for the assistant; {rest}."


def _cut_text(keep: int, *, after_summary: bool) -> str:
    if not keep:
        return "The assistant no longer sees what is above."
    if after_summary:
        more = f" and {count_of(keep - 1, 'turn')} after it" if keep > 1 else ""
        return f"Of what is above, the assistant now sees only the summary{more}."
    kept = "the first turn" if keep == 1 else f"the first {keep} turns"
    return f"Of what is above, the assistant now sees only {kept}."
