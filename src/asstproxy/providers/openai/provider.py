"""The Assistant Proxy for every server that speaks the Responses protocol: streamed, in one reply, or in the background."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Any, Literal

import msgspec

from ...core.coalesce import TEXT_EVENTS, merge_chunks
from ...core.errors import AssistantError
from ...core.events import (
    ActionRequired,
    AssistantMessageRetrieved,
    Event,
    Heartbeat,
    Notice,
    Started,
    ToolOutputsSubmitted,
    ToolResult,
)
from ...core.history import AssistantSaid
from ...core.turn import Turn
from ..transport import JSON, Transport
from .background import BackgroundResponse
from .wire import Reader, input_items, outcome, request, tool_output_items, user_item

__all__ = ["ResponsesProxy", "created_id"]

BATCH = 20
"""Items that the Conversations API takes at once."""
UNANSWERED = "No tool output found for function call"
"""A Conversation holds a call that was never answered: its exchange was stopped. It takes no message any more."""
DRAIN_WITHIN = 0.25
"""Seconds for a stream to end after its last event; then its connection serves the next request, too."""


class ResponsesProxy:
    """One conversation partner behind a transport.

    `history`: `client` sends everything each time and stores nothing; `server` keeps it in a Conversation, whose id is in
    `resume`; `conversation` is one to begin in. `extra` goes into every request. `poll` is in seconds.
    `resumable`: what is made in the background can be streamed, too, and a broken stream taken up again.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        provider: str,
        model: str,
        history: Literal["client", "server"] = "client",
        extra: JSON | None = None,
        poll: float = 2.0,
        conversation: str = "",
        resumable: bool = False,
    ) -> None:
        self.provider, self.model = provider, model
        self._transport, self._history, self._extra, self._poll = transport, history, extra or {}, poll
        self._first, self._resumable = conversation, resumable
        self._turn = Turn("")
        self._items: list[JSON] = []
        self._conversation: str | None = None
        self._begun: tuple[Turn, str] | None = None  # the Conversation that a turn began

    async def start_processing(self, turn: Turn) -> AsyncGenerator[Event]:
        """See `AssistantProxy`."""
        self._turn = msgspec.structs.replace(turn, model=turn.model or self.model)
        yield Started(self.provider, self._turn.model)
        if self._history == "server":
            self._conversation = await self._place(turn)
            self._items = [user_item(turn.text)]
        else:
            self._items = [*input_items(turn.history), user_item(turn.text)]
        try:
            async with contextlib.aclosing(self._ask(self._items)) as events:
                async for event in events:
                    yield event
        except AssistantError as error:
            if self._conversation is None or UNANSWERED not in str(error):
                raise
        else:
            return
        yield Notice("The Conversation at the provider waits for a tool result that nobody has; a new one is begun.")
        self._first = ""
        self._conversation = await self._begin(turn)
        async with contextlib.aclosing(self._ask(self._items)) as events:
            async for event in events:
                yield event

    async def submit_tool_outputs(self, results: Sequence[ToolResult]) -> AsyncGenerator[Event]:
        """See `AssistantProxy`."""
        yield ToolOutputsSubmitted()
        outputs = tool_output_items(results)
        items = outputs if self._conversation else [*self._items, *outputs]
        async with contextlib.aclosing(self._ask(items)) as events:
            async for event in events:
                yield event

    async def _ask(self, items: list[JSON]) -> AsyncGenerator[Event]:
        turn = self._turn
        body = self._extra | request(turn, items)
        if self._conversation:
            body["conversation"] = self._conversation
        if turn.background:
            run = BackgroundResponse(self._transport, self._poll)
            body |= {"background": True, "store": True}
            replies = run.streamed(body) if turn.stream and self._resumable else run.polled(body)
        elif turn.stream:
            replies = self._streamed(body | {"stream": True})
        else:
            replies = self._in_one_reply(body)
        async with contextlib.aclosing(self._heard(replies, items)) as events:
            async for event in events:
                yield event

    async def attach(self, turn: Turn) -> AsyncGenerator[Event]:
        """See `Attachable`: a response in the background goes on without us.

        Raises:
            AssistantError: the token is none of ours, or the response is gone.
        """
        token = turn.resume
        if not isinstance(token, dict) or "response" not in token:
            raise AssistantError("interrupted", "The exchange cannot be taken up again.", "Ask again: --retry.")
        self._turn = msgspec.structs.replace(turn, model=turn.model or self.model, background=True)
        self._conversation = _conversation_of(token)
        items = [] if self._conversation else input_items(turn.history)
        replies = BackgroundResponse(self._transport, self._poll).found_again(token)
        async with contextlib.aclosing(self._heard(replies, items)) as events:
            async for event in events:
                yield event

    async def _heard(self, replies: AsyncGenerator[Event], items: list[JSON]) -> AsyncGenerator[Event]:
        async with contextlib.aclosing(replies) as events:
            async for event in events:
                if isinstance(event, ActionRequired):
                    # What was asked and answered so far is the beginning of the next request.
                    self._items = [*items, *input_items([AssistantSaid(event.text, event.calls, event.raw)])]
                yield self._with_resume(event)

    async def _streamed(self, body: JSON) -> AsyncGenerator[Event]:
        reader = Reader()
        async with contextlib.aclosing(self._transport.events("POST", "/responses", body)) as events:
            async for together in events:
                for said in merge_chunks(said for event in together for said in reader.feed(event)):
                    if reader.done and not isinstance(said, TEXT_EVENTS):
                        await _drain(events)
                    yield said
                if reader.done:
                    return
        raise AssistantError(
            "connection", "The answer broke off: the stream ended before its last event.", "Try again."
        )

    async def _in_one_reply(self, body: JSON) -> AsyncGenerator[Event]:
        for event in outcome(await self._transport.call("POST", "/responses", body)):
            yield event

    async def _place(self, turn: Turn) -> str:
        """The Conversation to ask in; when a turn is asked again, that which was begun for it."""
        if self._begun is not None and self._begun[0] is turn:
            return self._begun[1]
        return _conversation_of(turn.resume) or await self._begin(turn)

    async def _begin(self, turn: Turn) -> str:
        items = input_items(turn.history)
        number = self._first if self._first and not items else await self._told(items)
        self._begun = turn, number
        return number

    async def _told(self, items: list[JSON]) -> str:
        number = created_id(await self._transport.call("POST", "/conversations", {"items": items[:BATCH]}))
        for start in range(BATCH, len(items), BATCH):
            path = f"/conversations/{number}/items"
            await self._transport.call("POST", path, {"items": items[start : start + BATCH]})
        return number

    def _with_resume(self, event: Event) -> Event:
        # Not with an answer that was cut short: a call in it, which nobody will answer, would block the Conversation.
        if self._conversation is None or not isinstance(event, Heartbeat | ActionRequired | AssistantMessageRetrieved):
            return event
        return msgspec.structs.replace(event, resume={**(event.resume or {}), "conversation": self._conversation})

    async def aclose(self) -> None:
        """Close the transport."""
        await self._transport.aclose()


async def _drain(events: AsyncIterator[list[JSON]]) -> None:
    with contextlib.suppress(AssistantError, TimeoutError):  # the answer is whole already
        async with asyncio.timeout(DRAIN_WITHIN):
            async for _ in events:
                pass


def created_id(created: JSON) -> str:
    """The id of what a server says it has made.

    Raises:
        AssistantError: it made nothing.
    """
    if not isinstance(number := created.get("id"), str):
        raise AssistantError("protocol", "The server made no Conversation.", "Check base_url: is it OpenAI's API?")
    return number


def _conversation_of(resume: Any) -> str | None:
    return resume.get("conversation") if isinstance(resume, dict) else None
