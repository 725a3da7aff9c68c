"""A conversation: two proxies, the mediator between them, and everything that outlives a single exchange."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from .attachment import AttachedFile, Attachment, AttachmentStore, check_accepted
from .coalesce import RecordStream
from .codec import now, repair_surrogates
from .errors import UsageError
from .events import Cancelled, Configured, Event, HistoryCut, Record, SchemaMismatch, SetUserMessage, Started
from .exchange import Exchange
from .history import History
from .hub import Hub, Subscriber
from .lost_answer import LostAnswerFinder
from .mediator import Mediator, make_mediator
from .openings import MakeTurn, attached, sent, taken_up
from .roles import AcceptsAttachments, AssistantProxy, Attachable, SchemaSupport, Structured, UserProxy
from .script import ACTIVE, LISTENING, State
from .turn import Options, turn_for

if TYPE_CHECKING:
    from .answer_schema import AnswerSchema, Check
    from .resume import InFlight

__all__ = ["Conversation", "accepted_schema", "new_message"]


class Conversation:
    """Two proxies who never meet, and the mediator between them.

    `past` are the records of a session that is continued. `configured` says who answers and how; change it with `configure`.
    `files` keeps the bytes of attachments; without it they are kept in memory.
    """

    def __init__(
        self,
        assistant: AssistantProxy,
        user: UserProxy,
        *,
        configured: Configured | None = None,
        mediator: str = "state-machine",
        options: Options | None = None,
        past: Iterable[Record] = (),
        files: AttachmentStore | None = None,
    ) -> None:
        self.assistant, self.user = assistant, user
        self.options = options or Options()
        if files is None:
            from .memory_files import MemoryFiles

            files = MemoryFiles()
        self.files: AttachmentStore = files
        self.history = History(self.files)
        self._lost_answer = LostAnswerFinder()
        self.configured = configured or Configured(provider=assistant.provider, model=assistant.model)
        self._hub = Hub()
        self._exchange: Exchange | None = None
        self._seq, state = 0, State.NEW
        self._published_configured: Configured | None = None
        past = list(past)
        for record in past:
            self._seq, state = record.seq, record.state
            self.history.feed(record.event)
            self._lost_answer.feed(record.event)
            if isinstance(record.event, Configured):
                self._published_configured = record.event
        self.mediator: Mediator = make_mediator(mediator, state)
        self._in_flight: InFlight | None = None
        if state in LISTENING:
            from .resume import in_flight_exchange

            self._in_flight = in_flight_exchange(past)
        user.bind(self)

    @property
    def state(self) -> State:
        """The state of the interaction script."""
        return self.mediator.state

    @property
    def is_running(self) -> bool:
        """Whether an exchange has not settled; before the first one, whether the past left one to `attach` to."""
        return self.state in ACTIVE

    def configure(self, configured: Configured, assistant: AssistantProxy | None = None) -> None:
        """Let another assistant, or the same one in another way, answer from the next exchange on.

        Raises:
            UsageError: an exchange is in progress.
        """
        self._require_idle()
        self.configured = configured
        self.assistant = assistant or self.assistant

    def cut_history(self, keep: int) -> None:
        """Send the assistant only the first `keep` exchanges from now on. The journal keeps them all.

        Raises:
            UsageError: an exchange is in progress.
        """
        self._require_idle()
        self.publish(HistoryCut(keep))

    # ---- records -------------------------------------------------------------------------------------------------------

    def subscribe(self, subscriber: Subscriber, *, essential: bool = False) -> Callable[[], None]:
        """Call `subscriber` with every record from now on; returns the function that ends this. See `Hub.subscribe`."""
        return self._hub.subscribe(subscriber, essential=essential)

    def publish(self, event: Event, *, ending: bool = False) -> Record:
        """Publish an event: it is stamped, journalled and given to every subscriber. It takes no step of the script.

        `ending`: see `Hub.publish`.

        Raises:
            OSError: the journal cannot be written.
            OutputError: a view cannot write its output.
        """
        self._seq += 1
        record = Record(self._seq, now(), self.state, event)
        self.history.feed(event)
        self._lost_answer.feed(event)
        self._hub.publish(record, ending=ending)
        if isinstance(event, Configured):
            self._published_configured = event
        return record

    # ---- exchanges -----------------------------------------------------------------------------------------------------

    async def exchange(
        self,
        text: str,
        *,
        attachments: Sequence[AttachedFile | Attachment] = (),
        timeout: float | None = None,
        schema: Mapping[str, Any] | None = None,
        check: Check | None = None,
        compacts: int = 0,
    ) -> Record:
        """Hold one exchange; returns the record that settled it. `timeout` is in seconds.

        `compacts`: the assistant is sent only so many of the first exchanges, to sum them up (see `SetUserMessage`).
        `attachments` are files that were read (`asstproxy.read_attachment`), or attachments of earlier messages. With a JSON
        Schema (of an object), the text of a complete answer is one line of JSON that fits; `check` may demand more. The assistant
        is asked once to correct an answer that does not; a second one leaves the exchange `incomplete`, reason `schema`. A
        failure of the assistant settles the exchange as `error` and is not raised.

        Raises:
            UsageError: the message is empty, the assistant can't read an attachment, the schema is not valid or the assistant
                does not accept it, or an exchange is in progress.
            asyncio.CancelledError: the exchange was cancelled; its record is published.
            OSError: the journal cannot be written.
            OutputError: a view cannot write its output.
        """
        self._require_idle()
        fits = accepted_schema(self.assistant, schema, check)
        model = self.configured.model or self.assistant.model
        message = await new_message(text, attachments, self.assistant, model, self.files, fits.schema if fits else None)
        self._require_idle()
        notes = () if self.configured == self._published_configured else (self.configured,)
        message = replace(message, compacts=bool(compacts))
        history = self.history.first(compacts) if compacts else self.history
        return await self._new_exchange(fits, history=history).hold(sent(message, notes), timeout)

    async def attach(self, *, timeout: float | None = None) -> Record:
        """Follow the exchange that the past left running at the provider to its end; see `exchange`.

        Raises:
            UsageError: there is none, or this assistant cannot attach to it.
        """
        in_flight = self._in_flight
        if in_flight is None or self._exchange is not None or not isinstance(self.assistant, Attachable):
            raise UsageError(
                "No turn is running at the provider.", "Send the message again.", code="no_exchange_to_attach"
            )
        fits = accepted_schema(self.assistant, in_flight.schema)
        return await self._new_exchange(fits, corrected=in_flight.corrected).hold(attached(in_flight), timeout)

    async def retry(
        self,
        text: str,
        *,
        attachments: Sequence[AttachedFile | Attachment] = (),
        timeout: float | None = None,
        schema: Mapping[str, Any] | None = None,
        check: Check | None = None,
    ) -> Record:
        """Take the last exchange back and hold it again, with its message `text`, `attachments` and `schema`; see `exchange`.

        One that failed while the provider worked in the background gets the answer of then, if it can still be fetched.

        Raises:
            UsageError: an exchange is in progress, or the assistant can't read an attachment or does not accept the schema;
                nothing is taken back then.
        """
        self._require_idle()
        fits = accepted_schema(self.assistant, schema, check)
        model = self.configured.model or self.assistant.model
        message = await new_message(text, attachments, self.assistant, model, self.files, fits.schema if fits else None)
        self._require_idle()
        lost = self._lost_answer.found
        self.cut_history(max(len(self.history.exchanges) - 1, 0))
        notes = () if self.configured == self._published_configured else (self.configured,)
        mine = Started(self.assistant.provider, self.configured.model or self.assistant.model)
        is_lost = lost is not None and (lost.message, lost.started) == (message, mine)
        if lost is None or not is_lost or notes or not isinstance(self.assistant, Attachable):
            return await self._new_exchange(fits).hold(sent(message, notes), timeout)
        corrected = any(isinstance(event, SchemaMismatch) for event in lost.events)
        return await self._new_exchange(fits, corrected=corrected).hold(taken_up(lost), timeout)

    async def stream(
        self, text: str, *, attachments: Sequence[AttachedFile | Attachment] = ()
    ) -> AsyncIterator[Record]:
        """Hold an exchange and yield its records as they come. Leaving the loop early cancels the exchange.

        `attachments` as in `exchange`. A slow reader gets adjacent chunks merged; nothing is lost.

        Raises:
            UsageError: the message is empty, or an exchange is in progress.
            OSError: as `exchange`, after its last record.
        """
        records = RecordStream()
        unsubscribe = self.subscribe(records)
        exchange = asyncio.create_task(self.exchange(text, attachments=attachments))
        try:
            async for record in records.until_done(exchange, unsubscribe):
                yield record
        finally:
            if exchange.cancel():  # False: it is over, and what is in progress now is a later one
                await asyncio.wait({exchange})

    def cancel(self, reason: Cancelled | None = None) -> None:
        """Stop the exchange in progress, if any; what was received is kept."""
        if self._exchange is not None:
            self._exchange.cancel(reason or Cancelled())

    async def aclose(self) -> None:
        """Stop the exchange in progress, and close the assistant and what the tools needed."""
        if self._exchange is not None:
            await self._exchange.stop()
        try:
            await self.assistant.aclose()
        finally:
            await self.user.clean_up()

    def _new_exchange(
        self, fits: AnswerSchema | None, *, corrected: bool = False, history: History | None = None
    ) -> Exchange:
        make_turn: MakeTurn = partial(
            turn_for,
            configured=self.configured,
            history=history or self.history,
            tools=self.user.tools.values(),
            options=self.options,
            provider=self.assistant.provider,
            model=self.configured.model or self.assistant.model,
            files=self.files,
        )
        answers = None
        if fits is not None:  # few exchanges have a schema
            from .answers import Answers, by_function

            answers = Answers(fits, tuple(self.user.tools), corrected=corrected or not self.options.corrects)
            if not isinstance(self.assistant, Structured):
                make_turn = by_function(make_turn)
        self._exchange = Exchange(
            self.assistant,
            self.user,
            self.mediator,
            publish=self.publish,
            make_turn=make_turn,
            options=self.options,
            answers=answers,
        )
        return self._exchange

    def _require_idle(self) -> None:
        if self._exchange is not None and not self._exchange.settled.done():
            raise UsageError("A turn is in progress.", "Wait for its answer, or cancel it.")
        if self.is_running:
            raise UsageError("The last turn is still running at the provider.", "Await attach() first.")


def accepted_schema(
    assistant: AssistantProxy, schema: Mapping[str, Any] | None, check: Check | None = None
) -> AnswerSchema | None:
    """A schema that this assistant accepts.

    Raises:
        UsageError: it is not valid, or the assistant does not accept it.
    """
    if schema is None:
        return None
    from .answer_schema import AnswerSchema

    fits = AnswerSchema(schema, check)
    support = assistant.structured if isinstance(assistant, Structured) else SchemaSupport()
    support.check(fits.schema, assistant.provider)
    return fits


async def new_message(
    text: str,
    attachments: Sequence[AttachedFile | Attachment],
    assistant: AssistantProxy,
    model: str,
    files: AttachmentStore,
    schema: dict[str, Any] | None,
) -> SetUserMessage:
    """A message to this assistant; the bytes of its attachments are kept before it names them.

    Raises:
        UsageError: it is empty, or the assistant can't read an attachment; nothing is kept then.
        OSError: the bytes can't be written.
    """
    text = repair_surrogates(text)
    if not text.strip() and not attachments:
        raise UsageError("The message is empty.", "Write something.")
    known = tuple(one if isinstance(one, Attachment) else one.attachment for one in attachments)
    if any(one.kind != "text" for one in known):
        accepted = await assistant.accepts(model) if isinstance(assistant, AcceptsAttachments) else {}
        check_accepted(known, accepted, model or assistant.provider)
    for one in attachments:
        if isinstance(one, AttachedFile):
            await asyncio.to_thread(files.keep, one)
    return SetUserMessage(text, known, schema)
