"""The provider for every server that speaks the Responses protocol: streamed, in one reply, or in the background."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from ...core.errors import AssistantError
from ...core.events import ActionRequired, AssistantMessageRetrieved, Event, Heartbeat
from ...core.history import Item, UserMessage
from ...core.roles import SchemaSupport
from ...core.turn import Turn
from ..base import StatelessProvider
from ..fields import get_count, get_text
from ..transport import JSON, Transport
from .reader import Reader
from .wire import RESPONSES, input_items, request

if TYPE_CHECKING:
    from ..background import BackgroundJob

__all__ = ["ResponsesProvider", "created_id"]

BATCH = 20
"""Items that the Conversations API takes at once."""
UNANSWERED = "No tool output found for function call"
"""The Conversation holds a call that was never answered, because its exchange was stopped. It no longer accepts messages."""


class ResponsesProvider(StatelessProvider):
    """An Assistant Proxy that calls `POST /responses`.

    `history`: with `client`, each request carries everything and nothing is stored; with `server`, a Conversation at the server
    keeps it, whose id is in `resume`; `conversation` is one to begin in. `extra` goes into every request. `poll` is in seconds.
    `resumable`: what is made in the background can be streamed, too, and a broken stream opened again.
    """

    reader = Reader
    structured = SchemaSupport(recursive=True, depth=10)
    attachment_format = RESPONSES

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
        super().__init__(transport, model)
        self.provider = provider
        self._history, self._extra, self._poll = history, extra or {}, poll
        self._first, self._resumable = conversation, resumable
        self._conversation: str | None = None
        self._begun = Turn("")  # the turn that opened the exchange, as it was given
        self._made_for: tuple[Turn, str] | None = None  # a turn, and the Conversation that was made for it
        self._replaced_for: Turn | None = None  # a turn for which a blocked Conversation was replaced

    def request(self, turn: Turn, items: Sequence[Item]) -> tuple[str, JSON]:
        """See `StatelessProvider`; a Conversation already holds all but the newest item."""
        body = self._extra | request(turn, self._input(items[-1:] if self._conversation else items))
        if self._conversation:
            body["conversation"] = self._conversation
        if turn.background:
            body |= {"background": True, "store": True}
        if turn.stream and (self._resumable or not turn.background):
            body["stream"] = True
        return "/responses", body

    def _input(self, items: Iterable[Item]) -> list[JSON]:
        return input_items(items, self.attachments.parts)

    def answer(self, items: list[Item]) -> AsyncGenerator[Event]:
        """See `StatelessProvider`."""
        if not self.turn.background:
            return super().answer(items)
        (_, body), job = self.request(self.turn, items), self._job()
        return job.streamed(body) if "stream" in body else job.polled(body)

    def attach(self, turn: Turn) -> AsyncGenerator[Event]:
        """See `Attachable`: a response in the background continues without us."""
        return self.take_up(turn, "response", self._found)

    def _found(self, token: JSON) -> AsyncGenerator[Event]:
        self._conversation = _conversation_of(token)
        position = token.get("sequence")
        return self._job().found(
            str(token["response"]), position if isinstance(position, int) else None, get_count(token, "text")
        )

    def _job(self) -> BackgroundJob:
        from ..background import BackgroundJob

        return BackgroundJob(self.transport, "/responses", Reader(), after="starting_after", poll=self._poll)

    def annotate(self, event: Event, items: list[Item]) -> Event:  # noqa: ARG002 - as in the base
        """The event with `resume`: the response in the background, and the Conversation."""
        # Not with an answer that was cut short: a call in it, which nobody will answer, would block the Conversation.
        if not isinstance(event, Heartbeat | ActionRequired | AssistantMessageRetrieved):
            return event
        resume: JSON = {}
        if isinstance(event, Heartbeat) and event.resume:
            job = event.resume
            resume = {"response": job["id"]}
            if job["position"] is not None:
                resume |= {"sequence": job["position"], "text": job["text"]}
        if self._conversation is not None:
            resume["conversation"] = self._conversation
        return msgspec.structs.replace(event, resume=resume or None)

    # ---- Conversations at the server -----------------------------------------------------------------------------------

    async def begin(self, turn: Turn) -> Sequence[Event]:
        """See `StatelessProvider`; a turn that is repeated keeps the Conversation that was made for it."""
        self._begun = turn
        if self._history == "server":
            if self._made_for is not None and self._made_for[0] is turn:
                self._conversation = self._made_for[1]
            else:
                self._conversation = _conversation_of(turn.resume) or await self._new_conversation(turn)
        return ()

    async def recover(self, error: AssistantError, items: list[Item]) -> str | None:
        """A Conversation that a call without a result blocks is replaced by a new one, once for a turn.

        A server that doesn't stream what it makes in the background is polled.

        Raises:
            AssistantError: the server speaks Chat Completions instead.
        """
        from ..transport.failures import API_MISSING

        if error.code == API_MISSING:
            from ..protocols import CHAT, speaks

            if await speaks(self.transport, CHAT):
                raise _speaks_chat(error, self.provider)
        if self._resumable and self.turn.background and error.kind == "invalid_request" and _refuses_stream(str(error)):
            self._resumable = False
            return ""
        blocked = self._conversation is not None and UNANSWERED in str(error) and isinstance(items[-1], UserMessage)
        if not blocked or self._replaced_for is self._begun:
            return await super().recover(error, items)
        self._replaced_for, self._first = self._begun, ""
        self._conversation = await self._new_conversation(self._begun)
        return "The Conversation at OpenAI is blocked by an unanswered tool call; starting a new one."

    async def _new_conversation(self, turn: Turn) -> str:
        history = self.attachments.fit(turn.history)
        await self.attachments.prepare(lambda: self._input(history))
        items = self._input(history)
        number = self._first
        if items or not number:
            number = created_id(await self.transport.call("POST", "/conversations", {"items": items[:BATCH]}))
            for start in range(BATCH, len(items), BATCH):
                path = f"/conversations/{number}/items"
                await self.transport.call("POST", path, {"items": items[start : start + BATCH]})
        self._made_for = turn, number
        return number


def created_id(created: JSON) -> str:
    """The id of what a server says it has made.

    Raises:
        AssistantError: it made nothing.
    """
    if not (number := get_text(created, "id")):
        raise AssistantError("protocol", "The server made no Conversation.", "Check base_url: is it OpenAI's API?")
    return number


def _speaks_chat(error: AssistantError, provider: str) -> AssistantError:
    """The error with what is known now of the server."""
    address, is_local = error.data.get("base_url", ""), provider == "local"
    return AssistantError(
        "not_found",
        f"{address} speaks Chat Completions, and not the Responses API.",
        f'Use a profile with {"api" if is_local else "provider"} = "chat-completions".',
        code="speaks_chat_completions",
        data={"base_url": address, "provider": "local" if is_local else "chat-completions"},
    )


def _conversation_of(resume: Any) -> str | None:
    return resume.get("conversation") if isinstance(resume, dict) else None


def _refuses_stream(words: str) -> bool:
    """OGX: "Cannot use stream=True with background=True"."""
    words = words.lower()
    return "stream" in words and "background" in words
