"""The drawing of a conversation: a fold of its records into what is printed for good and what is still moving.

The live view and the printed conversation (`sessions show`) draw with this, so that both look the same.
"""

from __future__ import annotations

from typing import Literal

from rich.console import RenderableType
from rich.text import Text

from asstproxy.core.events import (
    ActionRequired,
    AssistantMessageRetrieved,
    ChunkReceived,
    Configured,
    Event,
    Heartbeat,
    HistoryCut,
    MessageIncomplete,
    Notice,
    Reasoning,
    Record,
    RetryScheduled,
    SetUserMessage,
    Started,
    ToolOutputsSubmitted,
    ToolsExecuted,
    Unknown,
    Usage,
    is_message,
)
from asstproxy.core.script import ACTIVE, SETTLED, State

from .live_panel import LivePanel
from .markdown_blocks import Block
from .markdown_stream import MarkdownStream
from .reasoning import ReasoningView
from .retry_countdown import attempt_in
from .safe_text import clean, clean_line
from .status_text import ending
from .timeline import Closing, Timeline, seconds_between
from .tool_calls import Calls

__all__ = ["Layout"]

_Kind = Literal["person", "answer", "aside", "system", "note", "end"]


class Layout:
    """Folds records. `echo`: the person's messages are drawn, too (in a chat they stand on the screen already)."""

    def __init__(self, *, echo: bool) -> None:
        self._echo = echo
        self._done: list[RenderableType] = []
        self._above: _Kind | None = None  # what stands above the next thing that is printed
        self._profile = self._model = self._at = ""
        self._begin()

    def _begin(self) -> None:
        self._timeline: Timeline | None = None
        self._usage: Usage | None = None
        self._status = ""
        self._aside: ReasoningView | None = None
        self._again: tuple[RetryScheduled, str] | None = None  # an attempt that failed, and when
        self._answer = MarkdownStream()
        self._calls = Calls()
        self._next_request()

    def _next_request(self) -> None:
        self._speaking = False  # the heading stands, the answer is coming
        self._streamed = False  # a piece of the answer has come
        self._remarked = False  # a commentary has come, which the whole text may repeat

    # ---- what is seen -----------------------------------------------------------------------------------------------

    @property
    def moves(self) -> bool:
        """Whether an exchange is under way."""
        return self._timeline is not None and self._timeline.state in ACTIVE

    def take(self) -> list[RenderableType]:
        """What was finished since the last call: print it once, one below the other."""
        self._take_blocks()
        done, self._done = self._done, []
        return done

    def moving(self, since: float) -> LivePanel:
        """The rest as it is `since` seconds after the last record: the end of the answer, and the panel."""
        timeline = self._timeline
        steps = timeline.steps(since) if timeline is not None else []
        if timeline is not None and timeline.state is State.RUNNING and self._status:
            steps[-1].append(f" ({self._status})", style="dim")
        calls = self._calls.lines(self._at, since)
        return LivePanel(self._name(), [*steps], self._waiting(since), calls, self._aside, self._answer)

    def _waiting(self, since: float) -> Text | None:
        """What is waited for before a request is sent again, with the seconds that are left."""
        if self._again is None:
            return None
        note, at = self._again
        left = note.delay - seconds_between(at, self._at) - since
        words = attempt_in(note, left)
        return Text(f"{words[0].upper()}{words[1:]}{' · Ctrl-C stops' if left > 0 else ''}", style="asst.notice")

    def insert(self, piece: RenderableType) -> None:
        """Print something else at this place."""
        self._take_blocks()
        self._done.append(piece)

    def close(self) -> None:
        """There are no more records: what is there of an exchange that did not settle becomes finished."""
        self._end_all()
        self._begin()

    # ---- the fold ---------------------------------------------------------------------------------------------------

    def fold(self, record: Record) -> None:
        """Take the next record."""
        event = record.event
        self._at = record.at
        if is_message(event) and not isinstance(event, Heartbeat):
            self._again = None
        if isinstance(event, SetUserMessage):
            self._open(event.text)
        if self._timeline is None and record.state in ACTIVE:
            self._timeline = Timeline(record)
        if self._timeline is not None:
            self._timeline.fold(record)
        self._calls.fold(record)
        if not self._speech(event):
            self._note(event)
        if is_message(event) and record.state in SETTLED:
            self._settle(record)

    def _speech(self, event: Event | Unknown) -> bool:
        """Take what the assistant says or asks for; whether it was that."""
        match event:
            case ChunkReceived(text=text, phase="answer"):
                self._streamed = True
                self._speak(text)
            case ChunkReceived(text=text):
                self._remarked = True
                self._say_aside("commentary", text)
            case Reasoning(text=text):
                self._say_aside("reasoning", text)
            case ActionRequired(text=text):
                if not self._streamed and not self._remarked:
                    self._speak(text)
                self._end_answer()
            case ToolsExecuted():
                self._end_calls()
            case AssistantMessageRetrieved(text=text) | MessageIncomplete(text=text) if not self._streamed:
                self._speak(text)
            case _:
                return False
        return True

    def _note(self, event: Event | Unknown) -> None:
        match event:
            case Configured(profile=profile, provider=provider, model=model):
                self._profile, self._model = clean_line(profile or provider), clean_line(model)
            case Started(provider=provider, model=model):
                self._profile = self._profile or clean_line(provider)
                self._model = clean_line(model) or self._model
                self._next_request()
            case ToolOutputsSubmitted():
                self._next_request()
            case Heartbeat(status=status):
                self._status = clean_line(status or "")
            case Usage() as usage if self._timeline is not None:
                self._usage = _sum(self._usage or Usage(), usage)
            case RetryScheduled(message=message):
                self._again = event, self._at
                self._put("note", _line("Retry", f"{attempt_in(event, event.delay)}: {clean_line(message)}"))
            case Notice(text=text):
                self._put("note", _line("Notice", clean_line(text)))
            case HistoryCut(keep=keep) if self._echo:
                first = {0: "nothing", 1: "the first exchange"}.get(keep, f"the first {keep} exchanges")
                self._put("note", _line("Notice", f"From here on the assistant is sent {first} of what stands above."))
            case _:
                pass

    def _open(self, text: str) -> None:
        self.close()
        if self._echo:
            self._put("person", Text("You", style="asst.person"), Text(clean(text).strip("\n"), overflow="fold"))
        self._above = "person"

    def _speak(self, text: str) -> None:
        self._answer.feed(text)
        if not self._speaking and text.strip():
            self._speaking = True
            self._end_aside()
            name, _, model = self._name().partition(" · ")
            self._put("answer", Text.assemble((name, "asst.assistant"), (f" · {model}" if model else "", "dim")))

    def _say_aside(self, kind: Literal["reasoning", "commentary"], text: str) -> None:
        if self._aside is None or self._aside.kind != kind:
            self._end_aside()
            self._aside = ReasoningView(kind, self._at)
        self._aside.feed(text)

    def _settle(self, record: Record) -> None:
        self._end_all()
        lines: list[RenderableType] = [*ending(record.event)]
        if self._timeline is not None:
            lines.append(Closing(self._timeline, self._usage))
        self._put("end", *lines)
        self._begin()

    # ---- what is finished -------------------------------------------------------------------------------------------

    def _put(self, kind: _Kind, *lines: RenderableType) -> None:
        """Print these; between two kinds of things stands an empty line."""
        if kind != "answer":
            self._take_blocks()
        if self._above not in (None, kind):
            self._done.append(Text())
        self._done += lines
        self._above = kind

    def _take_blocks(self) -> None:
        self._put_blocks(self._answer.take())

    def _put_blocks(self, blocks: list[Block]) -> None:
        if blocks:
            if self._above != "answer" and not blocks[0].apart:
                self._done.append(Text())
            self._done += blocks
            self._above = "answer"

    def _end_answer(self) -> None:
        self._end_aside()
        self._put_blocks(self._answer.finish())

    def _end_aside(self) -> None:
        aside, self._aside = self._aside, None
        if aside is not None and (lines := aside.close(self._at)):
            self._put("aside", *lines)

    def _end_calls(self) -> None:
        if self._calls:
            self._put("system", *self._calls.close(self._at))

    def _end_all(self) -> None:
        self._end_answer()
        self._end_calls()

    def _name(self) -> str:
        return " · ".join(part for part in (self._profile or "assistant", self._model) if part)


def _line(label: str, text: str) -> Text:
    return Text.assemble((label, "asst.notice"), (" ▸ ", "dim"), text)


def _sum(one: Usage, other: Usage) -> Usage:
    return Usage(
        one.input_tokens + other.input_tokens,
        one.output_tokens + other.output_tokens,
        one.cached_tokens + other.cached_tokens,
        one.reasoning_tokens + other.reasoning_tokens,
    )
