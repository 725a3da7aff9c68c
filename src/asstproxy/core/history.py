"""The history that an assistant is sent: a fold of the events, neutral, so that any provider can continue it.

An exchange that failed before the assistant answered anything is left out (the person can retry it). What arrived before it
was stopped is kept, and a tool call that never got its result gets an error as its result: otherwise a provider would refuse
the whole conversation forever because of one dangling call.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from .attachment import Attachment, AttachmentStore, with_text_files
from .coalesce import TextBuffer
from .events import (
    ActionRequired,
    AssistantMessageRetrieved,
    Cancelled,
    ChunkReceived,
    ErrorOccurred,
    Event,
    Heartbeat,
    HistoryCompacted,
    HistoryCut,
    MessageIncomplete,
    SchemaMismatch,
    SetUserMessage,
    Started,
    TakenOver,
    ToolCall,
    ToolFinished,
    ToolResult,
    ToolsExecuted,
    Unknown,
)

__all__ = ["SUMMARY_REQUEST", "AssistantMessage", "History", "Item", "ToolOutputs", "UserMessage"]

NO_RESULT = "The call was interrupted and has no result."
SUMMARY_REQUEST = (
    "Summarise our conversation so far. From now on you will be sent this summary in place of the messages above, so keep "
    "all that later answers may need: what I asked for and decided, facts, names, figures, code, file names, results of "
    "tools, and what is still open. Leave out greetings and repetition. Write in the language of the conversation. "
    "Don't call any tool. Answer with the summary alone."
)
"""Asks for a summary; the assistant is sent it, with the summary as its answer, in place of what it stands for."""
NO_RESUME: tuple[str, Any] = ("", None)
"""The provider, and its token: there is none."""


class UserMessage(msgspec.Struct, frozen=True):
    """A person's message, with the files that it carries; text files are part of `text`."""

    text: str
    attachments: tuple[Attachment, ...] = ()


class AssistantMessage(msgspec.Struct, frozen=True):
    """One reply of an assistant: text, tool calls, or both. `raw` is only for the provider that sent it."""

    text: str
    calls: tuple[ToolCall, ...] = ()
    raw: Any = None


class ToolOutputs(msgspec.Struct, frozen=True):
    """One result for each call of the reply before it."""

    results: tuple[ToolResult, ...]


Item = UserMessage | AssistantMessage | ToolOutputs


class History:
    """Fed with every event; gives what a provider is to be sent. `files` has the bytes of the text files among attachments."""

    def __init__(self, files: AttachmentStore | None = None) -> None:
        self._files = files
        self.exchanges: list[tuple[Item, ...]] = []
        self._assistants: list[tuple[str, str]] = []  # (provider, model) of each exchange
        self._open: list[Item] = []
        self._text = TextBuffer()
        self._finished: dict[str, ToolResult] = {}
        self._assistant = ("", "")
        self._resume = NO_RESUME
        self._reset_cache()

    def _reset_cache(self) -> None:
        self._cached_for = ("", "")
        self._cached: list[Item] = []  # what that assistant is sent of the first exchanges, and of how many
        self._cached_exchanges = 0

    def feed(self, event: Event | Unknown) -> None:
        """Fold one event in; its cost does not depend on the length of the history."""
        match event:
            case SetUserMessage(text=text, attachments=attachments):
                self._open, self._text, self._finished = [UserMessage(text, attachments)], TextBuffer(), {}
            case Started(provider=provider, model=model) | TakenOver(provider=provider, model=model):
                self._assistant = (provider, model)
            case ChunkReceived(text=text, phase="answer"):
                self._text.add(text)
            case ToolFinished(result=result):
                self._finished[result.call_id] = result
            case ToolsExecuted(results=results):
                self._open.append(ToolOutputs(results))
            case ActionRequired(text=text, calls=calls, raw=raw):
                self._open.append(AssistantMessage(text, calls, raw))
                self._text, self._finished = TextBuffer(), {}  # a provider may number the calls of each reply afresh
            case AssistantMessageRetrieved(text=text, raw=raw) | MessageIncomplete(text=text, raw=raw):
                self._open.append(AssistantMessage(text, (), raw))
                self._settle()
            case SchemaMismatch(text=text, correction=correction, raw=raw):
                self._open += [AssistantMessage(text, (), raw), UserMessage(correction)]
                self._text = TextBuffer()
            case Cancelled() | ErrorOccurred():
                self._interrupt()
            case HistoryCompacted(summary=summary, keep=keep):
                kept = slice(max(len(self.exchanges) - 1 - keep, 0), -1)  # the last exchange asked for the summary
                self.exchanges = [(UserMessage(SUMMARY_REQUEST), AssistantMessage(summary)), *self.exchanges[kept]]
                self._assistants = [self._assistant, *self._assistants[kept]]
                self._reset_cache()
                self._resume = NO_RESUME  # the provider's own conversation still contains all of it
            case HistoryCut(keep=keep):
                del self.exchanges[keep:], self._assistants[keep:]
                self._reset_cache()
                self._resume = NO_RESUME  # the provider's own conversation still contains what was cut
        match event:
            case Heartbeat(resume=resume) | ActionRequired(resume=resume) if resume is not None:
                self._resume = (self._assistant[0], resume)
            case (
                AssistantMessageRetrieved(resume=resume)
                | MessageIncomplete(resume=resume)
                | SchemaMismatch(resume=resume)
            ):
                self._resume = (self._assistant[0], resume)

    def _interrupt(self) -> None:
        if not self._open:
            return  # an error outside of an exchange
        self._resume = NO_RESUME  # nobody knows how much of this exchange the provider's own conversation contains
        if self._text:
            self._open.append(AssistantMessage(str(self._text)))
        last = self._open[-1]
        if isinstance(last, AssistantMessage) and last.calls:
            answers = (self._finished.get(c.call_id, ToolResult(c.call_id, error=NO_RESULT)) for c in last.calls)
            self._open.append(ToolOutputs(tuple(answers)))
        if len(self._open) == 1:
            self._open = []  # nothing was answered
        self._settle()

    def _settle(self) -> None:
        self.exchanges.append(tuple(self._open))
        self._assistants.append(self._assistant)
        self._open, self._text = [], TextBuffer()

    def items(self, provider: str, model: str, *, include_open: bool = False) -> tuple[Item, ...]:
        """What this assistant is sent: everything, with `raw` only where the same provider and model sent it.

        `include_open`: and what the exchange that has not settled produced so far.
        """
        assistant = (provider, model)
        if assistant != self._cached_for:
            self._reset_cache()
            self._cached_for = assistant
        # Only what has settled since: the next exchange must not walk through a thousand others.
        start = self._cached_exchanges
        for exchange, source in zip(self.exchanges[start:], self._assistants[start:], strict=True):
            self._cached += self._items_for(assistant, exchange, source)
        self._cached_exchanges = len(self.exchanges)
        return (*self._cached, *(self._items_for(assistant, self._open, self._assistant) if include_open else ()))

    @property
    def has_summary(self) -> bool:
        """Whether the first exchange is a summary of those that were before it."""
        return self.exchanges[:1] != [] and self.exchanges[0][:1] == (UserMessage(SUMMARY_REQUEST),)

    def first(self, count: int) -> History:
        """A history of the first exchanges alone. No provider's own conversation is that short, so it has no token."""
        history = History(self._files)
        history.exchanges, history._assistants = self.exchanges[:count], self._assistants[:count]
        return history

    def resume(self, provider: str) -> Any:
        """Where the provider's own conversation stands (JSON); None when another provider answered last."""
        source, token = self._resume
        return token if source == provider else None

    def _items_for(
        self, assistant: tuple[str, str], exchange: Iterable[Item], source: tuple[str, str]
    ) -> Iterator[Item]:
        for item in exchange:
            if isinstance(item, UserMessage) and item.attachments:
                yield UserMessage(*with_text_files(item.text, item.attachments, self._files))
            elif isinstance(item, AssistantMessage) and item.raw is not None and source != assistant:
                yield msgspec.structs.replace(item, raw=None)
            else:
                yield item
