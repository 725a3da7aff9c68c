"""What `asst ask --json` prints: one object for the whole exchange."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from ...core.attachment import Attachment
from ...core.events import Cancelled, ErrorOccurred, MessageIncomplete, Record
from ...core.script import State
from ...store.transcript import ExchangeEntry, Tokens, ToolEntry

__all__ = ["Failure", "Result", "Seconds", "SourceEntry", "result_of"]


class Failure(msgspec.Struct):
    """Why the exchange failed: `kind` as in `asstproxy.core.errors`, a `message` in one line, and what to do (`hint`)."""

    kind: str
    message: str
    hint: str


class SourceEntry(msgspec.Struct):
    """A page that the answer cites."""

    url: str
    title: str


class Seconds(msgspec.Struct):
    """Seconds from the message to the first piece of the answer (null if none came in pieces), and to the end."""

    first_chunk: float | None
    total: float


class Result(msgspec.Struct):
    """One exchange, printed by `asst ask --json` when it is over.

    `answer` is its text, complete or in part. `data` is what the answer is, if it fits the schema that was asked for, else null;
    `problems` say why it does not fit. `reason` says why an exchange is incomplete or cancelled. `session` is null if nothing is
    saved. `usage` counts tokens, over all requests; `cost` (only with `--cost`) says what they cost. `notices` are lines of the
    provider for the person. `attachments` are the files that went with the message.
    """

    answer: str
    data: Any
    state: State
    reason: str | None
    problems: tuple[str, ...]
    error: Failure | None
    session: str | None
    provider: str
    model: str
    usage: Tokens
    tool_calls: list[ToolEntry]
    notices: list[str]
    sources: list[SourceEntry]
    attachments: list[Attachment]
    seconds: Seconds
    cost: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


def result_of(
    entry: ExchangeEntry,
    last: Record,
    *,
    session: str | None,
    notices: list[str],
    seconds: Seconds,
    price: Callable[[ExchangeEntry], dict[str, Any]] | None,
) -> Result:
    """The result of an exchange that this record has settled; in `session`, if it is saved."""
    event = last.event
    fits = entry.schema is not None and entry.state == State.COMPLETED
    return Result(
        answer=entry.answer,
        data=msgspec.Raw(entry.answer.encode()) if fits else None,  # which is JSON already
        state=entry.state,
        reason=event.reason if isinstance(event, MessageIncomplete | Cancelled) else None,
        problems=event.problems if isinstance(event, MessageIncomplete) else (),
        error=Failure(event.kind, event.message, event.hint) if isinstance(event, ErrorOccurred) else None,
        session=session,
        provider=entry.provider,
        model=entry.model,
        usage=entry.usage,
        tool_calls=entry.tools,
        notices=notices,
        sources=[SourceEntry(source.url, source.title) for source in entry.sources],
        attachments=entry.attachments,
        seconds=seconds,
        cost=price(entry) if price is not None else msgspec.UNSET,
    )
