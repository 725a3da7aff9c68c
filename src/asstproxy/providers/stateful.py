"""The base of a provider for an API that keeps the conversation: a request only has what is new."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Sequence

import msgspec

from ..core.errors import AssistantError
from ..core.events import ActionRequired, AssistantMessageRetrieved, Event, MessageIncomplete
from ..core.history import Item, UserMessage
from ..core.turn import Turn
from .base import StatelessProvider
from .fields import get_text
from .transport import Transport

__all__ = ["StatefulProvider"]


class StatefulProvider(StatelessProvider):
    """A `StatelessProvider` whose API keeps the conversation. `kept` is its id there, which is in `resume` under `kept_as`.

    A subclass implements `create_conversation`. Another one is created for a conversation that another provider continued, for a
    turn that is repeated, and after a failure: it is then unknown what the old one contains. `waiting` is the id of what waits at
    the server for the results of tools; while it does (`still_waits`), they can be sent again.
    """

    kept_as = "conversation"

    def __init__(self, transport: Transport, model: str) -> None:
        super().__init__(transport, model)
        self.kept = self.waiting = ""
        self._begun, self._resumed = Turn(""), False

    async def create_conversation(self, items: Sequence[Item]) -> str:
        """Create a conversation at the server that contains this one; its id.

        Raises:
            AssistantError: the server refuses, or can't be reached.
        """
        raise NotImplementedError

    def still_waits(self) -> bool:
        """Whether what waits for results goes on waiting after a failure."""
        return True

    async def begin(self, turn: Turn) -> Sequence[Event]:
        """See `StatelessProvider`."""
        token = turn.resume if isinstance(turn.resume, dict) and turn is not self._begun else {}
        self._begun, self.kept, self.waiting = turn, get_text(token, self.kept_as), ""
        self._resumed = bool(self.kept)
        return ()

    async def answer(self, items: list[Item]) -> AsyncGenerator[Event]:
        """See `StatelessProvider`; there is a conversation then, without the newest message of the person."""
        if not self.kept:
            earlier = items[:-1] if isinstance(items[-1], UserMessage) else items
            self.kept, self.waiting = await self.create_conversation(earlier), ""
        async with contextlib.aclosing(self.ask(items)) as events:
            async for event in events:
                yield event

    def ask(self, items: list[Item]) -> AsyncGenerator[Event]:
        """Ask in the conversation `kept`, and read the answer."""
        return super().answer(items)

    def annotate(self, event: Event, items: list[Item]) -> Event:  # noqa: ARG002 - as in the base
        """See `StatelessProvider`: a closing event with the id."""
        if isinstance(event, ActionRequired | AssistantMessageRetrieved | MessageIncomplete):
            return msgspec.structs.replace(event, resume={self.kept_as: self.kept})
        return event

    async def recover(self, error: AssistantError, items: list[Item]) -> str | None:
        """See `StatelessProvider`: what the server no longer has, or can't continue, is sent to it again, once."""
        if self.waiting and self.still_waits():
            return None
        resumed, self.kept, self._resumed = self._resumed, "", False
        if resumed and error.kind in ("not_found", "invalid_request") and self.kept_as in str(error).lower():
            return f"The server can't continue its {self.kept_as}; sending the conversation to a new one."
        return await super().recover(error, items)
