"""Another assistant answers when the first fails before its first piece.

To the conversation it is one assistant. When another one takes over, a notice says why, and `TakenOver` says who answers.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from typing import Any, NamedTuple, cast

import msgspec

from ..core.attachment import is_accepted
from ..core.coalesce import TEXT_EVENTS
from ..core.driver import closing
from ..core.errors import AssistantError
from ..core.events import Event, Notice, Started, TakenOver, ToolResult
from ..core.history import AssistantMessage, Item
from ..core.roles import CLOSING, AcceptsAttachments, AssistantProxy, Attachable, SchemaSupport, Structured
from ..core.turn import Turn

__all__ = ["Candidate", "FallbackProvider", "accepted_by", "with_fallbacks"]

FAILURES = frozenset(
    (
        "authentication",
        "connection",
        "context_length",  # another model may have room for it
        "interrupted",
        "not_found",
        "protocol",
        "quota",
        "rate_limit",
        "server",
        "timeout",
    )
)
"""Failures after which the next one is asked: of a provider, not of the message (`invalid_request`, `content`)."""


class Candidate(NamedTuple):
    """An assistant that may answer, the profile it is of, and what its API is sent beyond the conversation."""

    profile: str
    assistant: AssistantProxy
    settings: Mapping[str, Any]


def with_fallbacks(candidates: Sequence[Candidate]) -> AssistantProxy:
    """The first of these, with the others in its place when it fails before its first piece."""
    if len(candidates) == 1:
        return candidates[0].assistant
    can_attach = isinstance(candidates[0].assistant, Attachable)
    return AttachableFallback(candidates) if can_attach else FallbackProvider(candidates)


class FallbackProvider:
    """An Assistant Proxy that delegates to several. Retries go through all of them again, the first one first.

    Only the first request of an exchange can be taken over: its tool calls are the answering assistant's own.
    """

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self._candidates = candidates
        first = candidates[0].assistant
        self.provider, self.model = first.provider, first.model
        self.structured = _support([candidate.assistant for candidate in candidates])
        self._answering = first
        self._turn: Turn | None = None  # that of the present exchange
        self._announced = 0  # who answers it, as far as the journal knows
        self._notices: set[str] = set()  # notices of this exchange

    async def start_processing(self, turn: Turn) -> AsyncGenerator[Event]:
        """See `AssistantProxy`."""
        if turn is not self._turn:
            self._turn, self._notices = turn, set()
            self._announced = self._announced if turn.corrects else 0
        failed: list[AssistantError] = []
        number: int | None = self._announced if turn.corrects else 0  # who answered corrects the answer, too
        while number is not None:
            candidate = self._candidates[number]
            self._answering = candidate.assistant
            answering = False
            try:
                async with closing(candidate.assistant.start_processing(self._turn_for(number, turn))) as events:
                    async for event in events:
                        if isinstance(event, Started):
                            if number == 0:
                                yield event
                            if number != self._announced:
                                self._announced = number
                                yield TakenOver(candidate.profile, event.provider, event.model)
                            continue
                        answering = answering or isinstance(event, (*TEXT_EVENTS, *CLOSING))
                        yield event
            except AssistantError as error:
                if answering or error.kind not in FAILURES:
                    raise
                failed.append(error)
            else:
                return
            number = await self._next(number, turn)
            if number is not None:
                notice = _taken_over(candidate.profile, failed[-1], self._candidates[number].profile)
                if notice not in self._notices:
                    self._notices.add(notice)
                    yield Notice(notice)
        raise next((error for error in failed if error.retryable), failed[-1])

    def submit_tool_outputs(self, results: Sequence[ToolResult]) -> AsyncIterator[Event]:
        """See `AssistantProxy`: the one that asked for the tools gets their results."""
        return self._answering.submit_tool_outputs(results)

    async def aclose(self) -> None:
        """Close all of them."""
        async with contextlib.AsyncExitStack() as stack:
            for candidate in self._candidates:
                stack.push_async_callback(candidate.assistant.aclose)

    async def accepts(self, model: str) -> Mapping[str, int]:
        """See `AcceptsAttachments`: what the first one can take. Of the others, only those that can take it are asked."""
        return await accepted_by(self._candidates[0].assistant, model)

    async def _next(self, number: int, turn: Turn) -> int | None:
        """The next candidate that can take the files of the message; None if there is none."""
        for other in range(number + 1, len(self._candidates)):
            assistant = self._candidates[other].assistant
            try:
                accepted = await accepted_by(assistant, assistant.model) if turn.attachments else {}
            except AssistantError:  # it can't even say what it takes
                continue
            if all(is_accepted(one, accepted) for one in turn.attachments):
                return other
        return None

    def _turn_for(self, number: int, turn: Turn) -> Turn:
        """The turn as this candidate gets it: what belongs to the first one's API is of no use to another."""
        candidate = self._candidates[number]
        if turn.schema is not None and not isinstance(candidate.assistant, Structured):
            from ..core.answers import with_answer_function

            turn = with_answer_function(turn)
        if number == 0:
            return turn
        return msgspec.structs.replace(
            turn,
            model=candidate.assistant.model,
            settings=dict(candidate.settings),
            history=tuple(map(_without_raw, turn.history)),
            resume=None,
        )


class AttachableFallback(FallbackProvider):
    """The same where the first assistant can continue an exchange that another process left running."""

    def attach(self, turn: Turn) -> AsyncIterator[Event]:
        """See `Attachable`."""
        self._answering = self._candidates[0].assistant
        return cast("Attachable", self._answering).attach(turn)


async def accepted_by(assistant: AssistantProxy, model: str) -> Mapping[str, int]:
    """The files that an assistant can take: the most bytes of each media type; none if it doesn't say."""
    return await assistant.accepts(model) if isinstance(assistant, AcceptsAttachments) else {}


def _support(assistants: Sequence[AssistantProxy]) -> SchemaSupport:
    """The schemas that all of them take."""
    each = [one.structured if isinstance(one, Structured) else SchemaSupport() for one in assistants]
    depths = [support.depth for support in each if support.depth]
    return SchemaSupport(recursive=all(support.recursive for support in each), depth=min(depths, default=0))


def _without_raw(item: Item) -> Item:
    raw = isinstance(item, AssistantMessage) and item.raw is not None
    return msgspec.structs.replace(item, raw=None) if raw else item


def _taken_over(profile: str, error: AssistantError, following: str) -> str:
    message = str(error)
    return f"{profile}: {message if message.endswith(('.', '!', '?')) else f'{message}.'} Asking {following} instead."
