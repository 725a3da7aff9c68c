"""Events: what happens in a conversation.

*Messages* drive the script: the tag (`type`) of a message is a trigger of `asstproxy.core.script`. *Notes* report what happens
meanwhile and do not move the machine. All are frozen values; a `Record` stamps one with its number, its time and the state
that it led to, and is what is published, journalled, printed by `--events` and replayed.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from .attachment import Attachment
from .script import STEPS, State

__all__ = [
    "SCHEMA_REASON",
    "ActionRequired",
    "ApprovalGiven",
    "ApprovalRequested",
    "AssistantMessageRetrieved",
    "Cancelled",
    "ChunkReceived",
    "Cited",
    "Configured",
    "Decision",
    "ErrorOccurred",
    "Event",
    "Heartbeat",
    "HistoryCompacted",
    "HistoryCut",
    "MessageIncomplete",
    "Notice",
    "Reasoning",
    "Record",
    "RetryScheduled",
    "SchemaMismatch",
    "SessionOpened",
    "SetUserMessage",
    "Skipped",
    "Source",
    "Started",
    "TakenOver",
    "Titled",
    "ToolCall",
    "ToolFinished",
    "ToolOutputsSubmitted",
    "ToolResult",
    "ToolStarted",
    "ToolsExecuted",
    "Unknown",
    "Usage",
    "is_message",
]


class ToolCall(msgspec.Struct, frozen=True, omit_defaults=True):
    """A call of a function that the assistant asks for. `arguments` is the JSON text as it came; it is validated when it runs."""

    call_id: str
    name: str
    arguments: str


class ToolResult(msgspec.Struct, frozen=True, omit_defaults=True):
    """The result of one call: `output` (text, usually JSON), or `error`, in words the assistant can act on."""

    call_id: str
    output: str = ""
    error: str | None = None


class Decision(msgspec.Struct, frozen=True, omit_defaults=True):
    """A person's decision about one call. `arguments` (JSON text) replaces the assistant's when the person edited them.

    `always`: later calls of this tool need no approval, as long as this program runs. `by`: `person`,
    `always` (an earlier answer), `option` (`--yes`), `nobody` (nobody could be asked); empty if unknown, as in older journals.
    """

    call_id: str
    approved: bool
    reason: str = ""
    arguments: str | None = None
    always: bool = False
    by: str = ""


class Source(msgspec.Struct, frozen=True, omit_defaults=True):
    """A page that an answer cites. Both are as the provider sent them."""

    url: str
    title: str = ""


class Event(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type"):
    """Something that happened; `type` names it on the wire."""

    @property
    def type(self) -> str:
        """The tag: `chunk_received`, `tool_started`, …"""
        return str(self.__struct_config__.tag)


# ---- messages ----------------------------------------------------------------------------------------------------------


class SetUserMessage(Event, frozen=True, tag="set_user_message"):
    """The person's message opens an exchange. The files in `attachments` go with it; its answer must fit the JSON `schema`.

    `compacts`: asst itself asks for a summary of the exchanges before (see `HistoryCompacted`).
    """

    text: str
    attachments: tuple[Attachment, ...] = ()
    schema: dict[str, Any] | None = None
    compacts: bool = False


class Started(Event, frozen=True, tag="started"):
    """The request is on its way to the assistant. `provider` and `model` say who answers."""

    provider: str
    model: str = ""


class Heartbeat(Event, frozen=True, tag="heartbeat"):
    """The assistant is still working. `status` is the provider's own word (`queued`, …); `resume` as in `Turn`."""

    status: str | None = None
    resume: Any = None


class ChunkReceived(Event, frozen=True, tag="chunk_received"):
    """A chunk of the answer. The phase `commentary` comes on the way to an answer and does not belong to it."""

    text: str
    phase: Literal["answer", "commentary"] = "answer"


class ActionRequired(Event, frozen=True, tag="action_required"):
    """The assistant wants tools. `text` came before the calls; `raw` and `resume` as in `AssistantMessageRetrieved`."""

    calls: tuple[ToolCall, ...]
    text: str = ""
    raw: Any = None
    resume: Any = None


class ApprovalRequested(Event, frozen=True, tag="approval_requested"):
    """A person is asked whether these calls may run."""

    calls: tuple[ToolCall, ...]


class ApprovalGiven(Event, frozen=True, tag="approval_given"):
    """The person's decisions; a refused call becomes a result with an error."""

    decisions: tuple[Decision, ...]


class ToolsExecuted(Event, frozen=True, tag="tools_executed"):
    """One result per call, in the order of the calls."""

    results: tuple[ToolResult, ...]


class ToolOutputsSubmitted(Event, frozen=True, tag="tool_outputs_submitted"):
    """The results are on their way to the assistant."""


class AssistantMessageRetrieved(Event, frozen=True, tag="assistant_message_retrieved"):
    """The complete answer.

    `raw` is what must go back to the provider unchanged with this message (reasoning items, signatures): JSON that only
    the provider understands. `resume` is where its own conversation stands (an id, a sequence number).
    """

    text: str
    raw: Any = None
    resume: Any = None


class MessageIncomplete(Event, frozen=True, tag="message_incomplete"):
    """A partial answer that is kept. `reason`: `max_output_tokens`, `content_filter`, `expired`, `tool_rounds`, …

    `schema`: the answer is whole, but does not fit the schema, for these `problems`.
    `max_cost: …`: the next request was not sent; the rest of the text says what it could have cost.
    """

    text: str
    reason: str
    raw: Any = None
    resume: Any = None
    problems: tuple[str, ...] = ()


SCHEMA_REASON = "schema"
"""The `reason` of an answer that is whole, but does not fit."""


class Cancelled(Event, frozen=True, tag="cancelled"):
    """Stopped: by the person (`user`), by a limit (`timeout`) or from outside (`terminated`)."""

    reason: Literal["user", "timeout", "terminated"] = "user"


class ErrorOccurred(Event, frozen=True, tag="error"):
    """Something failed. `kind` is an `asstproxy.core.errors.Kind`; `message` is one line; `hint` says what to do next.

    `code` and `data` (names and values) are those of an `AsstError`: a front end may know a command that helps.
    """

    kind: str
    message: str
    hint: str = ""
    code: str = ""
    data: tuple[tuple[str, str], ...] = ()


# ---- notes -------------------------------------------------------------------------------------------------------------


class SessionOpened(Event, frozen=True, omit_defaults=False, tag="session_opened"):
    """The first line of a journal. `forked_from`: the session that this one is a copy of."""

    session: str
    format: str = "asst-journal"
    version: int = 1
    asst: str = ""
    forked_from: str = ""


class Configured(Event, frozen=True, tag="configured"):
    """Who answers from here on, and how: published before the first message and again whenever it changes."""

    profile: str = ""
    provider: str = ""
    model: str = ""
    instructions: str = ""
    tools: tuple[str, ...] = ()
    settings: dict[str, Any] = {}


class Titled(Event, frozen=True, tag="titled"):
    """The session has a new title."""

    title: str


class HistoryCut(Event, frozen=True, tag="history_cut"):
    """From here on the assistant is sent only the first `keep` exchanges of its history."""

    keep: int


class HistoryCompacted(Event, frozen=True, tag="history_compacted"):
    """From here on the assistant is sent `summary` in place of all but the last `keep` exchanges, and those after it.

    `turns`: how many exchanges it stands for.
    """

    summary: str
    turns: int = 0
    keep: int = 0


class ToolStarted(Event, frozen=True, tag="tool_started"):
    """A tool starts with these arguments (a person may have edited them).

    `approved_by`: who approved the call, in the words of `Decision.by`; empty if it needed no approval.
    """

    call_id: str
    name: str
    arguments: str
    approved_by: str = ""


class ToolFinished(Event, frozen=True, tag="tool_finished"):
    """A call has its result; one that was refused never started. `abandoned`: it timed out and was left running.

    `printed` is what the tool wrote to its standard streams: for the person, never for the assistant.
    """

    result: ToolResult
    seconds: float
    abandoned: bool = False
    printed: str = ""


class RetryScheduled(Event, frozen=True, tag="retry_scheduled"):
    """The request failed before the first chunk of an answer and is sent again after `delay` seconds.

    `attempt` is the one that failed, of at most `attempts` (0: unknown).
    """

    attempt: int
    delay: float
    kind: str
    message: str
    attempts: int = 0


class SchemaMismatch(Event, frozen=True, tag="schema_mismatch"):
    """The answer `text` does not fit the schema, for these reasons; the assistant is asked again, with `correction`.

    The answer that follows replaces it. `raw` and `resume` as in `AssistantMessageRetrieved`.
    """

    text: str
    problems: tuple[str, ...]
    correction: str
    raw: Any = None
    resume: Any = None


class TakenOver(Event, frozen=True, tag="taken_over"):
    """Another assistant answers this exchange, because the one that `Started` names failed before its first piece."""

    profile: str
    provider: str
    model: str = ""


class Usage(Event, frozen=True, tag="usage"):
    """Tokens of one request to the provider. An exchange with tool rounds has several; they add up.

    `input_tokens` is everything that was read: `cached_tokens` were read from the provider's cache, `cache_write_tokens` written
    to it. `output_tokens` is everything that was written, with `reasoning_tokens`. `cost` is in US dollars, where the server
    reports it. `service_tier`: how the request was served, if not in the usual way (`flex`, `priority`, …).
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    cache_write_tokens: int = 0
    cost: float | None = None
    service_tier: str = ""


class Reasoning(Event, frozen=True, tag="reasoning"):
    """A chunk of the assistant's reasoning, or of a summary of it, where the provider shows it."""

    text: str


class Notice(Event, frozen=True, tag="notice"):
    """One line that the person should see; the exchange continues."""

    text: str


class Cited(Event, frozen=True, tag="cited"):
    """What the answer cites, as its provider reports it; comes before the message that ends the assistant's turn."""

    sources: tuple[Source, ...]


class Skipped(Event, frozen=True, tag="skipped"):
    """Something in the provider's stream that is not part of an answer, such as `null` or `ping`. Only `--events` shows it."""

    text: str


class Unknown(msgspec.Struct, frozen=True):
    """An event of a newer asst: kept as it is, and written back unchanged."""

    data: dict[str, Any]

    @property
    def type(self) -> str:
        """The tag that the newer asst gave it."""
        return str(self.data.get("type", ""))


class Record(msgspec.Struct, frozen=True):
    """A stamped event: `seq` counts up within a session, `at` is UTC in ISO 8601 with milliseconds."""

    seq: int
    at: str
    state: State
    event: Event | Unknown


def is_message(event: Event | Unknown) -> bool:
    """Whether the event drives the script (else it is a note)."""
    return event.type in STEPS
