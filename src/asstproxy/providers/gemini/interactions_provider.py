"""The Assistant Proxy over the Interactions API: streamed, in one reply, in the background; Google keeps it all."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Coroutine
from typing import Any
from urllib.parse import quote

import msgspec

from ...core.coalesce import merge_chunks
from ...core.errors import AssistantError
from ...core.events import ActionRequired, AssistantMessageRetrieved, Event, Heartbeat, MessageIncomplete
from ...core.history import Item
from ...core.turn import Turn
from ..background_job import BROKEN, BackgroundJob, pause_before_looking_again
from ..transport import JSON, Transport
from .interactions_reader import Reader, outcome, thoughts, unfinished
from .interactions_request import is_stored, request, steps
from .provider import GeminiProxy

__all__ = ["InteractionsProxy"]

PATH = "/interactions"
TRIES = 3
"""How often a connection may fail in a row, while Google goes on with its answer, before we give up."""


class InteractionsProxy(GeminiProxy):
    """`poll` is in seconds; `pause` is how long to wait before a stream that was cut is taken up again."""

    def __init__(self, transport: Transport, model: str, *, poll: float = 2.0, pause: float = 0.5) -> None:
        super().__init__(transport, model)
        self._poll, self._pause = poll, pause
        self._previous: str | None = None  # the interaction that goes on
        self._known = 0  # and how many items Google knows with it

    def _begin(self, turn: Turn) -> None:
        state = turn.resume if isinstance(turn.resume, dict) and is_stored(turn) else {}
        same = state.get("model") == self._turn.model  # another model would refuse what this one signed
        self._previous, self._known = state.get("interaction") if same else None, len(turn.history)

    async def attach(self, turn: Turn) -> AsyncGenerator[Event]:
        """See `Attachable`: an interaction in the background goes on without us.

        Raises:
            AssistantError: the token is none of ours, or the interaction is gone.
        """
        token = turn.resume if isinstance(turn.resume, dict) else {}
        if not token.get("running"):
            raise AssistantError("interrupted", "The exchange cannot be taken up again.", "Ask again: --retry.")
        self._turn = msgspec.structs.replace(turn, model=turn.model or self.model, background=True)
        self._previous, items = token.get("interaction"), list(turn.history)
        replies = self._followed(self._polled(_path(token["running"]), at_once=True), token["running"])
        async with contextlib.aclosing(self._heard(self._placed(replies, items), items)) as events:
            async for event in events:
                yield event

    def _request(self, items: list[Item]) -> AsyncGenerator[Event]:
        turn = self._turn
        body = request(turn, steps(items, self._known if self._previous else 0), self._previous)
        if turn.background:
            replies = self._followed(self._transport.call("POST", PATH, body | {"background": True}))
        elif turn.stream:
            replies = self._streamed(body | {"stream": True})
        else:
            replies = self._in_one_reply(body)
        return self._placed(replies, items)

    async def _placed(self, replies: AsyncGenerator[Event], items: list[Item]) -> AsyncGenerator[Event]:
        async with contextlib.aclosing(replies) as events:
            async for event in events:
                yield self._with_resume(event, items)

    def _with_resume(self, event: Event, items: list[Item]) -> Event:
        """The event with where Google's conversation stands; so far its `resume` is the id of the interaction."""
        if isinstance(event, Heartbeat):
            return msgspec.structs.replace(event, resume=self._resume(self._previous) | {"running": event.resume})
        if isinstance(event, ActionRequired | AssistantMessageRetrieved | MessageIncomplete):
            number = event.resume if is_stored(self._turn) else None
            if isinstance(event, ActionRequired):
                self._previous, self._known = number, len(items) + 1
            return msgspec.structs.replace(event, resume=self._resume(number) or None)
        return event

    def _resume(self, interaction: str | None) -> JSON:
        return {"interaction": interaction, "model": self._turn.model} if interaction else {}

    def _other_way(self, error: AssistantError, items: list[Item]) -> tuple[str, list[Item]] | None:
        way = super()._other_way(error, items)
        if way is None and self._previous and error.kind == "not_found" and "model" not in str(error).lower():
            way = "Google no longer has this conversation: it is told the whole of it again.", items
        if way is not None:
            self._previous = None
        return way

    async def _in_one_reply(self, body: JSON) -> AsyncGenerator[Event]:
        interaction = await self._transport.call("POST", PATH, body)
        for event in (*thoughts(interaction), *outcome(interaction)):
            yield event

    async def _streamed(self, body: JSON) -> AsyncGenerator[Event]:
        reader, failures = Reader(), 0
        events = self._transport.events("POST", PATH, body)
        while True:
            heard = reader.last
            cut = AssistantError(
                "connection", "The answer broke off: the stream ended before its last event.", "Try again."
            )
            try:
                async with contextlib.aclosing(events):
                    async for together in events:
                        for said in merge_chunks(said for event in together for said in reader.feed(event)):
                            yield said
                        if reader.done:
                            return
            except AssistantError as error:
                if error.kind not in BROKEN and not (failures and error.retryable):
                    raise
                cut = error
            # Google goes on with an interaction that it stores; we take the stream up again after the last event.
            if not (reader.interaction and reader.last and is_stored(self._turn)):
                raise cut
            failures = failures + 1 if reader.last == heard else 1
            if failures > TRIES:  # whatever the last request met: the first was heard, and is not to be sent again
                raise AssistantError(cut.kind, str(cut), cut.hint)
            await asyncio.sleep(self._pause * 2 ** (failures - 1))
            where = f"{_path(reader.interaction)}?stream=true&last_event_id={quote(reader.last, safe='')}"
            events = self._transport.events("GET", where)

    async def _followed(self, asked: Coroutine[Any, Any, JSON], number: str | None = None) -> AsyncGenerator[Event]:
        """What becomes of an interaction in the background; its `number` is known, or comes with the first answer."""
        run = BackgroundJob(lambda number: self._transport.call("POST", f"{_path(number)}/cancel", {}))
        run.id = number
        async with run.watched():
            interaction = await (asked if number else run.begun(asked, lambda one: one.get("id")))
            number = str(interaction.get("id"))
            while unfinished(interaction):
                yield Heartbeat(str(interaction["status"]), resume=number)
                interaction = await self._polled(_path(number))
            run.over = True
            for event in (*thoughts(interaction), *outcome(interaction)):
                yield event

    async def _polled(self, where: str, *, at_once: bool = False) -> JSON:
        """The interaction as it is now. Asking again is free, while a new request would pay for another answer."""
        asked = 0.0
        for attempt in range(1, TRIES + 1):
            await asyncio.sleep(0 if at_once and attempt == 1 else max(self._poll * attempt, asked))
            try:
                return await self._transport.call("GET", where)
            except AssistantError as error:
                pause = pause_before_looking_again(error)
                if attempt == TRIES or pause is None:
                    raise AssistantError(error.kind, str(error), error.hint) from error
                asked = pause
        raise AssertionError  # the loop ends in one of its two ways


def _path(interaction: str) -> str:
    return f"{PATH}/{quote(interaction, safe='')}"
