"""The transcript: a session as a person would describe it, exchange by exchange, built from its records."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from ..core import events as ev
from ..core.attachment import Attachment
from ..core.coalesce import TextBuffer
from ..core.script import ACTIVE, STEPS, State

__all__ = [
    "TITLE",
    "ExchangeEntry",
    "RequestEntry",
    "StepEntry",
    "Summary",
    "Tokens",
    "ToolEntry",
    "Transcript",
    "TranscriptBuilder",
    "last_sent",
    "message_title",
    "sent_entries",
    "title_of",
    "transcript_of",
]

TITLE = 60
"""Characters of the first message that become the title."""


class Tokens(msgspec.Struct):
    """Tokens, summed over requests."""

    input: int = 0
    output: int = 0
    cached: int = 0
    reasoning: int = 0

    def add(self, usage: ev.Usage) -> None:
        """Add the tokens of one more request."""
        self.input += usage.input_tokens
        self.output += usage.output_tokens
        self.cached += usage.cached_tokens
        self.reasoning += usage.reasoning_tokens


class StepEntry(msgspec.Struct):
    """A state that the exchange entered, and when."""

    state: State
    at: str


class ToolEntry(msgspec.Struct, omit_defaults=True):
    """One tool call and its result. `seconds` is None if it was not run; `decided_by` is as in `Decision.by`."""

    call_id: str
    name: str
    arguments: str
    output: str = ""
    error: str | None = None
    approved: bool | None = None
    decided_by: str = ""
    seconds: float | None = None


class RequestEntry(msgspec.Struct, omit_defaults=True):
    """What one request used, as its provider reports it: who answered, and tokens as in `Usage`. `at`: when it was sent."""

    at: str
    profile: str = ""
    provider: str = ""
    model: str = ""
    input: int = 0
    output: int = 0
    cached: int = 0
    reasoning: int = 0
    cache_write: int = 0
    cost: float | None = None
    service_tier: str = ""


class ExchangeEntry(msgspec.Struct, omit_defaults=True):
    """One exchange. `withdrawn`: it is no longer sent to the assistant (undone, or asked again).

    `schema`: the JSON Schema that the answer had to fit; then a complete answer is one line of JSON.
    `compacts`: asst asked for a summary in it. `summarises`: of how many exchanges its answer takes the place (0: of none).

    `usage` is the sum of `requests`. An exchange whose provider reports no tokens has neither.
    """

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
    sources: list[ev.Source] = []
    usage: Tokens = msgspec.field(default_factory=Tokens)
    requests: list[RequestEntry] = []
    withdrawn: bool = False
    compacts: bool = False
    summarises: int = 0
    steps: list[StepEntry] = []
    schema: dict[str, Any] | None = None
    attachments: list[Attachment] = []


class Summary(msgspec.Struct):
    """The head of a transcript: what a list of sessions shows. Times are ISO 8601, UTC.

    `forked_from`: the session that this one began as a copy of.
    """

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
    forked_from: str = ""


class Transcript(Summary):
    """The head and every exchange. `files`: in an export only, the bytes of attachments by their SHA-256."""

    exchanges: list[ExchangeEntry] = []
    files: dict[str, bytes] = {}


class TranscriptBuilder:
    """Builds a transcript from records, one by one; the cost of a record doesn't depend on what came before."""

    def __init__(self, session: str = "") -> None:
        self.transcript = Transcript(id=session)
        self._answer, self._reasoning = TextBuffer(), TextBuffer()
        self._sent: list[ExchangeEntry] = []  # those that are still sent to the assistant
        self._request = RequestEntry("")  # the present one, without its tokens

    def feed(self, record: ev.Record) -> None:
        """Add what one record says."""
        transcript, event = self.transcript, record.event
        transcript.created = transcript.created or record.at
        transcript.updated, transcript.state = (
            max(record.at, transcript.created),
            record.state,
        )  # a copy has older records
        match event:
            case ev.SessionOpened(session=session, forked_from=forked_from):
                transcript.id, transcript.forked_from = session, forked_from
            case ev.Configured(profile=profile, provider=provider, model=model):
                same = provider == transcript.provider
                transcript.profile, transcript.provider = profile, provider
                transcript.model = model or (transcript.model if same else "")
            case ev.Titled(title=title):
                transcript.title = title
            case ev.SetUserMessage() as message:
                self._open(message, record)
            case ev.HistoryCompacted(turns=turns, keep=keep) if transcript.exchanges:
                transcript.exchanges[-1].summarises = turns
                self._sent = [*self._sent[-1:], *self._sent[max(len(self._sent) - 1 - keep, 0) : -1]]
            case ev.HistoryCut(keep=keep):
                for entry in self._sent[keep:]:
                    entry.withdrawn = True
                del self._sent[keep:]
            case _ if transcript.exchanges:
                self._continue(transcript.exchanges[-1], record)

    def include_partial(self) -> None:
        """Let the last exchange have what has arrived so far, if it has not settled (its process may be dead)."""
        if self.transcript.exchanges and (entry := self.transcript.exchanges[-1]).state in ACTIVE:
            entry.answer, entry.reasoning = str(self._answer), str(self._reasoning).strip()

    def _open(self, message: ev.SetUserMessage, record: ev.Record) -> None:
        transcript = self.transcript
        transcript.title = transcript.title or message_title(message)
        entry = ExchangeEntry(message.text, "", record.state, record.at, record.at, attachments=[*message.attachments])
        entry.schema = message.schema
        entry.compacts = message.compacts
        entry.steps.append(StepEntry(record.state, record.at))
        transcript.exchanges.append(entry)
        self._sent.append(entry)
        transcript.exchange_count = len(transcript.exchanges)
        self._answer, self._reasoning = TextBuffer(), TextBuffer()

    def _continue(self, entry: ExchangeEntry, record: ev.Record) -> None:
        entry.updated = record.at
        if record.event.type in STEPS:
            if entry.steps[-1].state != record.state:
                entry.steps.append(StepEntry(record.state, record.at))
            entry.state = record.state
        match record.event:
            case ev.Started(provider=provider, model=model):
                entry.provider, entry.model = provider, model
                self.transcript.provider, self.transcript.model = provider, model
                self._request = RequestEntry(record.at, self.transcript.profile, provider, model)
            case ev.TakenOver(profile=profile, provider=provider, model=model):
                entry.provider, entry.model = provider, model
                self._request = RequestEntry(record.at, profile, provider, model)
            case ev.ToolOutputsSubmitted():
                self._request = msgspec.structs.replace(self._request, at=record.at)
            case ev.ChunkReceived(text=text, phase="answer"):
                self._answer.add(text)
            case ev.Reasoning(text=text):
                self._reasoning.add(text)
            case ev.ActionRequired(calls=calls, text=text):
                entry.tools += [ToolEntry(c.call_id, c.name, c.arguments) for c in calls]
                self._answer = TextBuffer(text, "\n\n") if text else TextBuffer()
            case ev.ApprovalGiven(decisions=decisions):
                for decision in decisions:
                    tool = _tool(entry, decision.call_id)
                    tool.approved, tool.decided_by = decision.approved, decision.by
            case ev.ToolStarted(call_id=call_id, approved_by=by) if by:
                tool = _tool(entry, call_id)
                tool.approved, tool.decided_by = True, by
            case ev.ToolFinished(result=result, seconds=seconds):
                _finish(entry, result).seconds = seconds
            case ev.ToolsExecuted(results=results):
                for result in results:
                    _finish(entry, result)
            case ev.SchemaMismatch():
                self._answer = TextBuffer()
            case ev.Cited(sources=sources):
                entry.sources += [source for source in sources if source not in entry.sources]
            case ev.Usage() as usage:
                entry.usage.add(usage)
                entry.requests.append(_request(self._request, usage))
                self.transcript.usage.add(usage)
            case ev.AssistantMessageRetrieved(text=text):
                self._close(entry, text)
            case ev.MessageIncomplete(text=text, reason=reason):
                self._close(entry, text, reason)
            case ev.Cancelled(reason=reason):
                self._close(entry, str(self._answer), reason)
            case ev.ErrorOccurred(message=message):
                self._close(entry, str(self._answer), message)

    def _close(self, entry: ExchangeEntry, answer: str, reason: str = "") -> None:
        entry.answer, entry.reason, entry.reasoning = answer, reason, str(self._reasoning).strip()


def sent_entries(transcript: Transcript) -> list[ExchangeEntry]:
    """The exchanges that the assistant still sees, in their order: not those that were undone, asked again, cleared or summed up.

    A summary comes first, and then those that it left as they were.
    """
    sent: list[ExchangeEntry] = []
    for entry in transcript.exchanges:
        if entry.summarises:
            sent = sent[entry.summarises :]
        if not entry.withdrawn:
            sent.insert(0 if entry.summarises else len(sent), entry)
    return sent


def last_sent(transcript: Transcript) -> ExchangeEntry | None:
    """The last exchange that the assistant still sees; None if there is none."""
    sent = sent_entries(transcript)
    return sent[-1] if sent else None


def message_title(message: ev.SetUserMessage) -> str:
    """The title that a first message gives to a session: its beginning, or the name of a file that it consists of."""
    return title_of(message.text) or title_of(next((one.name for one in message.attachments), ""))


def title_of(text: str) -> str:
    """The title that a first message gives to a session: its first words, as many as fit."""
    line = " ".join(text[: 4 * TITLE].split())
    if len(line) <= TITLE:
        return line
    words = line[: TITLE + 1].rpartition(" ")[0]
    return words if len(words) > TITLE // 2 else line[:TITLE]  # languages without spaces, and addresses


def _tool(entry: ExchangeEntry, call_id: str) -> ToolEntry:
    for tool in reversed(entry.tools):
        if tool.call_id == call_id:
            return tool
    entry.tools.append(ToolEntry(call_id, "", ""))
    return entry.tools[-1]


def _request(request: RequestEntry, usage: ev.Usage) -> RequestEntry:
    return msgspec.structs.replace(
        request,
        input=usage.input_tokens,
        output=usage.output_tokens,
        cached=usage.cached_tokens,
        reasoning=usage.reasoning_tokens,
        cache_write=usage.cache_write_tokens,
        cost=usage.cost,
        service_tier=usage.service_tier,
    )


def _finish(entry: ExchangeEntry, result: ev.ToolResult) -> ToolEntry:
    tool = _tool(entry, result.call_id)
    tool.output, tool.error = result.output, result.error
    return tool


def transcript_of(records: Iterable[ev.Record], session: str = "") -> Transcript:
    """The transcript of these records, with what has arrived of an exchange that has not settled."""
    builder = TranscriptBuilder(session)
    for record in records:
        builder.feed(record)
    builder.include_partial()
    return builder.transcript
