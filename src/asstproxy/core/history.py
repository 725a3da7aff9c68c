"""The history that an assistant is sent: a fold of the events, neutral, so that any provider can take it up.

An exchange that failed before the assistant said anything is no part of it (the person can retry it). What the assistant
said before it was stopped is kept, and a tool call that never got its result gets an error as its result: a provider would
refuse the whole conversation for ever because of one dangling call.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from .coalesce import TextBuffer
from .events import (
    ActionRequired,
    AssistantMessageRetrieved,
    Cancelled,
    ChunkReceived,
    ErrorOccurred,
    Event,
    Heartbeat,
    HistoryCut,
    MessageIncomplete,
    SetUserMessage,
    Started,
    ToolCall,
    ToolFinished,
    ToolResult,
    ToolsExecuted,
    Unknown,
)

__all__ = ["AssistantSaid", "History", "Item", "ToolOutputs", "UserSaid"]

INTERRUPTED = "The call was interrupted: there is no result."
NOWHERE: tuple[str, Any] = ("", None)
"""Whose conversation, and where it stands: nobody's."""


class UserSaid(msgspec.Struct, frozen=True):
    """A person's message."""

    text: str


class AssistantSaid(msgspec.Struct, frozen=True):
    """One reply of an assistant: text, tool calls, or both. `raw` is for the provider that said it, and nobody else."""

    text: str
    calls: tuple[ToolCall, ...] = ()
    raw: Any = None


class ToolOutputs(msgspec.Struct, frozen=True):
    """One result for each call of the reply before."""

    results: tuple[ToolResult, ...]


Item = UserSaid | AssistantSaid | ToolOutputs


class History:
    """Feed it every event; ask it what a provider is to be sent."""

    def __init__(self) -> None:
        self.exchanges: list[tuple[Item, ...]] = []
        self._speakers: list[tuple[str, str]] = []  # (provider, model) of each exchange
        self._open: list[Item] = []
        self._said = TextBuffer()
        self._finished: dict[str, ToolResult] = {}
        self._speaker = ("", "")
        self._resume = NOWHERE
        self._forget_sent()

    def _forget_sent(self) -> None:
        self._wanted = ("", "")
        self._sent: list[Item] = []  # what that assistant is sent of the first exchanges, and of how many
        self._counted = 0

    def feed(self, event: Event | Unknown) -> None:
        """Fold one event in; its cost does not depend on the length of the history."""
        match event:
            case SetUserMessage(text=text):
                self._open, self._said, self._finished = [UserSaid(text)], TextBuffer(), {}
            case Started(provider=provider, model=model):
                self._speaker = (provider, model)
            case ChunkReceived(text=text, phase="answer"):
                self._said.add(text)
            case ToolFinished(result=result):
                self._finished[result.call_id] = result
            case ToolsExecuted(results=results):
                self._open.append(ToolOutputs(results))
            case ActionRequired(text=text, calls=calls, raw=raw):
                self._open.append(AssistantSaid(text, calls, raw))
                self._said, self._finished = TextBuffer(), {}  # a provider may number the calls of each reply afresh
            case AssistantMessageRetrieved(text=text, raw=raw) | MessageIncomplete(text=text, raw=raw):
                self._open.append(AssistantSaid(text, (), raw))
                self._settle()
            case Cancelled() | ErrorOccurred():
                self._break_off()
            case HistoryCut(keep=keep):
                del self.exchanges[keep:], self._speakers[keep:]
                self._forget_sent()
                self._resume = NOWHERE  # the provider's own conversation still holds what was cut
        match event:
            case Heartbeat(resume=resume) | ActionRequired(resume=resume) if resume is not None:
                self._resume = (self._speaker[0], resume)
            case AssistantMessageRetrieved(resume=resume) | MessageIncomplete(resume=resume):
                self._resume = (self._speaker[0], resume)

    def _break_off(self) -> None:
        if not self._open:
            return  # an error outside of an exchange
        self._resume = NOWHERE  # nobody knows what the provider's own conversation holds of this exchange
        if self._said:
            self._open.append(AssistantSaid(str(self._said)))
        last = self._open[-1]
        if isinstance(last, AssistantSaid) and last.calls:
            answers = (self._finished.get(c.call_id, ToolResult(c.call_id, error=INTERRUPTED)) for c in last.calls)
            self._open.append(ToolOutputs(tuple(answers)))
        if len(self._open) == 1:
            self._open = []  # the assistant said nothing
        self._settle()

    def _settle(self) -> None:
        self.exchanges.append(tuple(self._open))
        self._speakers.append(self._speaker)
        self._open, self._said = [], TextBuffer()

    def items(self, provider: str, model: str, *, under_way: bool = False) -> tuple[Item, ...]:
        """What this assistant is sent: everything, with `raw` only where the same provider and model said it.

        `under_way`: and what was said so far in the exchange that has not settled.
        """
        wanted = (provider, model)
        if wanted != self._wanted:
            self._forget_sent()
            self._wanted = wanted
        # Only what has settled since: a thousand exchanges must not be gone through for the next one.
        for exchange, speaker in zip(self.exchanges[self._counted :], self._speakers[self._counted :], strict=True):
            self._sent += _for(wanted, exchange, speaker)
        self._counted = len(self.exchanges)
        return (*self._sent, *(_for(wanted, self._open, self._speaker) if under_way else ()))

    def resume(self, provider: str) -> Any:
        """Where the provider's own conversation stands (JSON); None when another provider spoke last."""
        whose, value = self._resume
        return value if whose == provider else None


def _for(wanted: tuple[str, str], exchange: Iterable[Item], speaker: tuple[str, str]) -> Iterator[Item]:
    for item in exchange:
        foreign = isinstance(item, AssistantSaid) and item.raw is not None and speaker != wanted
        yield msgspec.structs.replace(item, raw=None) if foreign else item
