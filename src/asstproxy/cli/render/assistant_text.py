"""What the assistant writes in an exchange: its answer, its reasoning, and commentary between tool calls."""

from __future__ import annotations

from typing import Literal

from rich.text import Text

from ...core.events import (
    ActionRequired,
    ChunkReceived,
    Event,
    MessageIncomplete,
    Reasoning,
    Started,
    ToolOutputsSubmitted,
    Unknown,
)
from .answer_text import AnswerText
from .detail import Detail
from .json_text import json_text
from .markdown_stream import MarkdownStream
from .reasoning import ReasoningView
from .scrollback import Scrollback

__all__ = ["AssistantText"]


class AssistantText:
    """Folds the events of one exchange. Finished parts go to the scrollback; `answer` and `reasoning` are what moves."""

    def __init__(self, scrollback: Scrollback, detail: Detail) -> None:
        self._detail = detail
        self.answer = MarkdownStream()
        self.reasoning: ReasoningView | None = None
        self._scrollback = scrollback
        self._answer_text = AnswerText()
        self._has_heading = False  # for this request

    def fold(self, event: Event | Unknown, at: str, name: str, model: str) -> None:
        """Fold the next event. `at` is its time; `name` and `model` are for the heading of the answer; the model may be empty."""
        text = self._answer_text.feed(event)
        if not self._answer_text.has_schema:
            self._add_answer(text, at, name, model)
        else:
            if isinstance(event, MessageIncomplete):
                text = event.text
            self._add_data(text, at, name, model)
        match event:
            case Reasoning(text=text):
                self._add_reasoning("reasoning", text, at)
            case ChunkReceived(text=text, phase="commentary"):
                self._add_reasoning("commentary", text, at)
            case ActionRequired():
                self.end(at)
            case Started() | ToolOutputsSubmitted():
                self._has_heading = False
            case _:
                pass

    def flush(self) -> None:
        """Move the blocks of the answer that are finished to the scrollback."""
        self._scrollback.add_blocks(self.answer.take())

    @property
    def has_heading(self) -> bool:
        """Whether the answer to the present request has begun."""
        return self._has_heading

    def end(self, at: str) -> None:
        """Move everything to the scrollback: what is there is finished."""
        self._end_reasoning(at)
        self._scrollback.add_blocks(self.answer.finish())

    def _add_data(self, text: str, at: str, name: str, model: str) -> None:
        """Data that fits the schema, in colours; or the text that does not."""
        if text.strip():
            self._add_heading(text, at, name, model)
            self._scrollback.add("answer", json_text(text))

    def _add_answer(self, text: str, at: str, name: str, model: str) -> None:
        if text:
            self._add_heading(text, at, name, model)
            self.answer.feed(text)

    def _add_heading(self, text: str, at: str, name: str, model: str) -> None:
        if not self._has_heading and text.strip():
            self._has_heading = True
            self._end_reasoning(at)
            if self._detail.headings:
                heading = Text.assemble((name, "asst.assistant"), (f" · {model}" if model else "", "dim"))
                self._scrollback.add("answer", heading)

    def _add_reasoning(self, kind: Literal["reasoning", "commentary"], text: str, at: str) -> None:
        if self.reasoning is None or self.reasoning.kind != kind:
            self._end_reasoning(at)
            self.reasoning = ReasoningView(kind, at, whole=self._detail.thoughts, command=self._detail.thoughts_command)
        self.reasoning.feed(text)

    def _end_reasoning(self, at: str) -> None:
        reasoning, self.reasoning = self.reasoning, None
        if reasoning is not None and (lines := reasoning.close(at)):
            self.flush()
            self._scrollback.add("reasoning", *lines)
