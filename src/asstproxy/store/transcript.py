"""The transcript: a session as a person would tell it, folded from its records."""

from __future__ import annotations

import msgspec

from ..core.coalesce import TextBuffer
from ..core.events import (
    ActionRequired,
    ApprovalGiven,
    AssistantMessageRetrieved,
    Cancelled,
    ChunkReceived,
    Configured,
    ErrorOccurred,
    HistoryCut,
    MessageIncomplete,
    Reasoning,
    Record,
    SessionOpened,
    SetUserMessage,
    Started,
    Titled,
    ToolFinished,
    ToolResult,
    ToolsExecuted,
    Usage,
)
from ..core.script import STEPS, State

__all__ = ["ExchangeEntry", "Fold", "StepEntry", "Summary", "Tokens", "ToolEntry", "Transcript", "title_of"]

TITLE = 60
"""Characters of the first message that make a title."""


class Tokens(msgspec.Struct):
    """Tokens, added up over requests."""

    input: int = 0
    output: int = 0
    cached: int = 0
    reasoning: int = 0

    def add(self, usage: Usage) -> None:
        """Count one more request."""
        self.input += usage.input_tokens
        self.output += usage.output_tokens
        self.cached += usage.cached_tokens
        self.reasoning += usage.reasoning_tokens


class StepEntry(msgspec.Struct):
    """A state that the exchange came to, and when."""

    state: State
    at: str


class ToolEntry(msgspec.Struct, omit_defaults=True):
    """One tool call and what came of it. `seconds` is None when it was not run."""

    call_id: str
    name: str
    arguments: str
    output: str = ""
    error: str | None = None
    approved: bool | None = None
    seconds: float | None = None


class ExchangeEntry(msgspec.Struct, omit_defaults=True):
    """One exchange. `withdrawn`: it stands here, but the assistant is not sent it any more."""

    user: str
    answer: str
    state: State
    started: str
    updated: str
    provider: str = ""
    model: str = ""
    reason: str = ""
    reasoning: str = ""
    tools: list[ToolEntry] = []
    usage: Tokens = msgspec.field(default_factory=Tokens)
    withdrawn: bool = False
    steps: list[StepEntry] = []


class Summary(msgspec.Struct):
    """The head of a transcript: what a list of sessions shows."""

    id: str = ""
    title: str = ""
    created: str = ""
    updated: str = ""
    state: State = State.NEW
    profile: str = ""
    provider: str = ""
    model: str = ""
    exchange_count: int = 0
    usage: Tokens = msgspec.field(default_factory=Tokens)


class Transcript(Summary):
    """The whole session."""

    exchanges: list[ExchangeEntry] = []


class Fold:
    """Folds records, one by one, into a transcript; the cost of a record does not depend on what went before."""

    def __init__(self, session: str = "") -> None:
        self.transcript = Transcript(id=session)
        self._answer, self._reasoning = TextBuffer(), TextBuffer()
        self._effective: list[ExchangeEntry] = []  # those that the assistant is still sent

    def feed(self, record: Record) -> None:
        """Fold one record in."""
        whole, event = self.transcript, record.event
        whole.created = whole.created or record.at
        whole.updated, whole.state = record.at, record.state
        match event:
            case SessionOpened(session=session):
                whole.id = session
            case Configured(profile=profile, provider=provider, model=model):
                same = provider == whole.provider
                whole.profile, whole.provider, whole.model = profile, provider, model or (whole.model if same else "")
            case Titled(title=title):
                whole.title = title
            case SetUserMessage(text=text):
                self._open(text, record)
            case HistoryCut(keep=keep):
                for entry in self._effective[keep:]:
                    entry.withdrawn = True
                del self._effective[keep:]
            case _ if whole.exchanges:
                self._continue(whole.exchanges[-1], record)

    def _open(self, text: str, record: Record) -> None:
        whole = self.transcript
        whole.title = whole.title or title_of(text)
        entry = ExchangeEntry(text, "", record.state, record.at, record.at)
        entry.steps.append(StepEntry(record.state, record.at))
        whole.exchanges.append(entry)
        self._effective.append(entry)
        whole.exchange_count = len(whole.exchanges)
        self._answer, self._reasoning = TextBuffer(), TextBuffer()

    def _continue(self, entry: ExchangeEntry, record: Record) -> None:
        entry.updated = record.at
        if record.event.type in STEPS:
            if entry.steps[-1].state != record.state:
                entry.steps.append(StepEntry(record.state, record.at))
            entry.state = record.state
        match record.event:
            case Started(provider=provider, model=model):
                entry.provider, entry.model = provider, model
                self.transcript.provider, self.transcript.model = provider, model
            case ChunkReceived(text=text, phase="answer"):
                self._answer.add(text)
            case Reasoning(text=text):
                self._reasoning.add(text)
            case ActionRequired(calls=calls, text=text):
                entry.tools += [ToolEntry(c.call_id, c.name, c.arguments) for c in calls]
                self._answer = TextBuffer(text, "\n\n") if text else TextBuffer()
            case ApprovalGiven(decisions=decisions):
                for decision in decisions:
                    _tool(entry, decision.call_id).approved = decision.approved
            case ToolFinished(result=result, seconds=seconds):
                _finish(entry, result).seconds = seconds
            case ToolsExecuted(results=results):
                for result in results:
                    _finish(entry, result)
            case Usage() as usage:
                entry.usage.add(usage)
                self.transcript.usage.add(usage)
            case AssistantMessageRetrieved(text=text):
                self._close(entry, text)
            case MessageIncomplete(text=text, reason=reason):
                self._close(entry, text, reason)
            case Cancelled(reason=reason):
                self._close(entry, str(self._answer), reason)
            case ErrorOccurred(message=message):
                self._close(entry, str(self._answer), message)

    def _close(self, entry: ExchangeEntry, answer: str, reason: str = "") -> None:
        entry.answer, entry.reason, entry.reasoning = answer, reason, str(self._reasoning).strip()


def title_of(text: str) -> str:
    """The title that a first message gives to a session."""
    return " ".join(text[: 4 * TITLE].split())[:TITLE]


def _tool(entry: ExchangeEntry, call_id: str) -> ToolEntry:
    for tool in reversed(entry.tools):
        if tool.call_id == call_id:
            return tool
    entry.tools.append(ToolEntry(call_id, "", ""))
    return entry.tools[-1]


def _finish(entry: ExchangeEntry, result: ToolResult) -> ToolEntry:
    tool = _tool(entry, result.call_id)
    tool.output, tool.error = result.output, result.error
    return tool
