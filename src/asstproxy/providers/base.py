"""The base of a provider for an API whose requests carry the whole conversation.

A subclass says what a request is (`request`) and how the answer is read (`reader`); what an Assistant Proxy owes to the contract
is here. Where the API offers more (conversations that it keeps, work in the background), there is a method to override.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from ..core.coalesce import TEXT_EVENTS
from ..core.errors import AssistantError
from ..core.events import ActionRequired, Event, Notice, Started, ToolOutputsSubmitted, ToolResult
from ..core.history import AssistantMessage, Item, ToolOutputs, UserMessage
from ..core.turn import Turn
from .attachments import NOTHING, AttachmentFormat, Attachments
from .stream import StreamReader, read_reply, read_stream
from .transport import JSON, Transport

if TYPE_CHECKING:
    from .answer_schema import Dialect

__all__ = ["StatelessProvider"]

MOST_PAUSES = 5
"""How often a server may pause one turn, for tools of its own."""


class StatelessProvider:
    """An Assistant Proxy over `transport`; `model` answers when a turn names none. `turn` is the current turn.

    `items` is the conversation up to the new message or the newest tool results, oldest first.
    """

    provider = ""
    attachment_format: AttachmentFormat = NOTHING
    """Which files the API takes, and how."""
    reader: type[StreamReader] = StreamReader
    """Reads one answer."""
    optional: tuple[str, ...] = ()
    """Keys of a body that a server may not know: one that its error names is left out from then on, unless a setting set it."""

    dialect: Dialect | None = None
    """In which the schema of an answer is sent, if the subclass has `structured` (see `core.roles.Structured`)."""

    def __init__(self, transport: Transport, model: str) -> None:
        self.transport, self.model = transport, model
        self._schemas_refused = False
        self.turn = Turn("")
        self.attachments = Attachments(self.attachment_format, transport)
        self._left_out: set[str] = set()  # of what is optional
        self._items: list[Item] = []  # up to the calls of the last ActionRequired

    # ---- what a subclass says ------------------------------------------------------------------------------------------

    def request(self, turn: Turn, items: Sequence[Item]) -> tuple[str, JSON]:
        """Path and body of the request for the next answer; `turn.stream` says whether it asks for a stream."""
        raise NotImplementedError

    # ---- what it may change --------------------------------------------------------------------------------------------

    def resolve(self, turn: Turn) -> Turn:
        """The turn as this provider asks it: with the model that answers."""
        return msgspec.structs.replace(turn, model=turn.model or self.model)

    async def accepts(self, model: str) -> Mapping[str, int]:  # noqa: ARG002 - for those that override it
        """See `AcceptsAttachments`: what `attachment_format` says, unless the provider knows more of this model."""
        return self.attachments.accepted

    async def begin(self, turn: Turn) -> Sequence[Event]:  # noqa: ARG002 - for those that override it
        """Prepare an exchange, after `Started` and before its first request; returns notes for the person.

        Called again with the same turn when the request failed and is repeated.
        """
        return ()

    def answer(self, items: list[Item]) -> AsyncGenerator[Event]:
        """Ask, and read the answer: everything but the opening event."""
        reader = self.new_reader()
        return _until_whole(self._ask, items, reader) if reader.pauses else self._ask(items, reader)

    def _ask(self, items: list[Item], reader: StreamReader) -> AsyncGenerator[Event]:
        path, body = self.request(self.turn, items)
        body = {key: value for key, value in body.items() if key not in self._left_out}
        if self.turn.stream:
            return read_stream(self.transport.events("POST", path, body), reader)
        return read_reply(self.transport, path, body, reader)

    def new_reader(self) -> StreamReader:
        """A reader for one answer: a new `reader`."""
        return self.reader()

    def annotate(self, event: Event, items: list[Item]) -> Event:  # noqa: ARG002 - for those that override it
        """An event of the answer as it is published, with `resume` for example. Not called for pieces of text."""
        return event

    async def recover(self, error: AssistantError, items: list[Item]) -> str | None:  # noqa: ARG002 - for those that override it
        """Whether a request that failed is worth making in another way, before anything was said: None if it is not.

        The text is a notice for the person; the empty one gives none. `request` is called again.
        """
        named = {key for key in self.optional if key in str(error) and key not in self.turn.settings} - self._left_out
        self._left_out |= named
        if not named and self.turn.schema is not None:
            from .answer_schema import by_function, refuses_schema

            if refuses_schema(self.turn, error):
                self._schemas_refused = True  # what was refused once is not sent again
                self.turn = self.resolve(by_function(self.turn))
                return ""
        return "" if named else None

    # ---- the contract --------------------------------------------------------------------------------------------------

    def start_processing(self, turn: Turn) -> AsyncGenerator[Event]:
        """See `AssistantProxy`."""
        self.turn = self.resolve(turn)
        if turn.schema is not None:
            from .answer_schema import by_function, can_express

            if self._schemas_refused or not can_express(self.turn, self.dialect):
                self.turn = self.resolve(by_function(turn))
        message = UserMessage(turn.text, turn.attachments)
        return self._run([*turn.history, message], Started(self.provider, self.turn.model), turn)

    def submit_tool_outputs(self, results: Sequence[ToolResult]) -> AsyncGenerator[Event]:
        """See `AssistantProxy`."""
        return self._run([*self._items, ToolOutputs(tuple(results))], ToolOutputsSubmitted())

    async def take_up(
        self, turn: Turn, needed: str, found: Callable[[JSON], AsyncGenerator[Event]]
    ) -> AsyncGenerator[Event]:
        """For `attach`: the rest of an exchange that goes on at the provider. `found` reads it, by the token in `resume`.

        Raises:
            AssistantError: the token has nothing under the key `needed`, so that it is not one of this provider.
        """
        token = turn.resume if isinstance(turn.resume, dict) else {}
        if not token.get(needed):
            raise AssistantError("interrupted", "The turn can't be continued.", "Ask again.")
        self.turn = msgspec.structs.replace(self.resolve(turn), background=True)
        async with contextlib.aclosing(self._run(list(turn.history), None, answer=found(token))) as events:
            async for event in events:
                yield event

    async def _run(
        self,
        items: list[Item],
        opening: Event | None,
        begun: Turn | None = None,
        answer: AsyncGenerator[Event] | None = None,
    ) -> AsyncGenerator[Event]:
        """One turn of the assistant. `begun` is the turn that begins an exchange, `answer` the one to read instead of asking."""
        if opening is not None:
            yield opening
        attached = answer is not None
        if begun is not None or attached:
            for notice in await self.attachments.begin(self.turn, self.accepts):
                yield notice
            items = self.attachments.fit(items)
        if begun is not None:
            for note in await self.begin(begun):
                yield note
        while True:
            spoken = False
            try:
                if not attached and self.attachments.is_used:
                    await self.attachments.prepare(lambda: self.request(self.turn, items))
                async with contextlib.aclosing(answer or self.answer(items)) as events:
                    async for event in events:
                        if isinstance(event, TEXT_EVENTS):
                            spoken = True
                            yield event
                            continue
                        annotated = self.annotate(event, items)
                        if isinstance(annotated, ActionRequired):
                            # Only now: a request that failed is made again from where it began.
                            self._items = [*items, AssistantMessage(annotated.text, annotated.calls, annotated.raw)]
                        yield annotated
            except AssistantError as error:
                _name_key(error, self.transport)
                words = None
                if not spoken and not attached:
                    words = "" if self.attachments.forget(error) else await self.recover(error, items)
                if words is None:
                    raise
            else:
                return
            if words:
                yield Notice(words)

    async def aclose(self) -> None:
        """Close the transport."""
        await self.transport.aclose()


def _name_key(error: AssistantError, transport: Transport) -> None:
    """A server may refuse the key within an answer, of which the transport knows nothing."""
    if error.kind == "authentication":
        from .transport.failures import name_key

        name_key(error, getattr(transport, "key_hint", ""))


async def _until_whole(
    ask: Callable[[list[Item], StreamReader], AsyncGenerator[Event]], items: list[Item], reader: StreamReader
) -> AsyncGenerator[Event]:
    """Ask again as long as the server pauses its turn."""
    so_far: list[Item] = []
    for pauses in itertools.count():
        reader.may_pause = pauses < MOST_PAUSES
        async with contextlib.aclosing(ask([*items, *so_far], reader)) as events:
            async for event in events:
                yield event
        if (paused := reader.resume()) is None:
            return
        so_far = [paused]
