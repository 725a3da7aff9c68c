"""A conversation: two proxies, the mediator between them, and everything that outlives a single exchange."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from .coalesce import RecordStream
from .codec import now, repair_surrogates
from .errors import UsageError
from .events import Cancelled, Configured, Event, HistoryCut, Record, SetUserMessage
from .exchange import Exchange
from .history import History
from .hub import Hub, Subscriber
from .mediator import Mediator, make_mediator
from .resume import in_flight_exchange
from .roles import AssistantProxy, Attachable, Structured, UserProxy
from .schema_support import SchemaSupport
from .script import ACTIVE, State
from .turn import Options, Turn, turn_for

if TYPE_CHECKING:
    from .answer_schema import AnswerSchema, Check

__all__ = ["Conversation"]


class Conversation:
    """Two proxies who never meet, and the mediator between them.

    `past` are the records of a session that is continued. `configured` says who answers and how; change it with `configure`.
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
    ) -> None:
        self.assistant, self.user = assistant, user
        self.options = options or Options()
        self.history = History()
        self.configured = configured or Configured(provider=assistant.provider, model=assistant.model)
        self._hub = Hub()
        self._exchange: Exchange | None = None
        self._seq, state = 0, State.NEW
        self._published_configured: Configured | None = None
        past = list(past)
        for record in past:
            self._seq, state = record.seq, record.state
            self.history.feed(record.event)
            if isinstance(record.event, Configured):
                self._published_configured = record.event
        self.mediator: Mediator = make_mediator(mediator, state)
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
        self._hub.publish(record, ending=ending)
        if isinstance(event, Configured):
            self._published_configured = event
        return record

    # ---- exchanges -----------------------------------------------------------------------------------------------------

    async def exchange(
        self,
        text: str,
        *,
        timeout: float | None = None,
        schema: Mapping[str, Any] | None = None,
        check: Check | None = None,
    ) -> Record:
        """Hold one exchange; returns the record that settled it. `timeout` is in seconds.

        With a JSON Schema (of an object), the text of a complete answer is one line of JSON that fits; `check` may demand more.
        The assistant is asked once to correct an answer that does not; a second one leaves the exchange `incomplete`, reason
        `schema`. A failure of the assistant settles the exchange as `error` and is not raised.

        Raises:
            UsageError: the message is empty, the schema is not valid, the assistant does not accept it, or an exchange is in
                progress.
            asyncio.CancelledError: the exchange was cancelled; its record is published.
            OSError: the journal cannot be written.
            OutputError: a view cannot write its output.
        """
        self._require_idle()
        text = repair_surrogates(text)
        if not text.strip():
            raise UsageError("The message is empty.", "Write something.")
        fits = _accepted(self.assistant, schema, check)
        notes = () if self.configured == self._published_configured else (self.configured,)
        message = SetUserMessage(text, fits.schema if fits else None)
        return await self._new_exchange(fits).send(message, notes, timeout)

    async def attach(self, *, timeout: float | None = None) -> Record:
        """Follow the exchange that the past left running at the provider to its end; see `exchange`.

        Raises:
            UsageError: there is none, or this assistant cannot attach to it.
        """
        in_flight = self._in_flight
        if in_flight is None or self._exchange is not None or not isinstance(self.assistant, Attachable):
            raise UsageError(
                "No exchange is running at the provider.", "Send the message again.", code="no_exchange_to_attach"
            )
        fits = _accepted(self.assistant, in_flight.schema)
        return await self._new_exchange(fits, corrected=in_flight.corrected).attach(in_flight, timeout)

    async def stream(self, text: str) -> AsyncIterator[Record]:
        """Hold an exchange and yield its records as they come. Leaving the loop early cancels the exchange.

        A slow reader gets adjacent chunks merged; nothing is lost.

        Raises:
            UsageError: the message is empty, or an exchange is in progress.
            OSError: as `exchange`, after its last record.
        """
        records = RecordStream()
        unsubscribe = self.subscribe(records)
        exchange = asyncio.create_task(self.exchange(text))
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

    def _turn(self, message: SetUserMessage, resume: Any = None, *, corrects: bool = False) -> Turn:
        turn = turn_for(
            message,
            resume,
            corrects=corrects,
            configured=self.configured,
            history=self.history,
            tools=self.user.tools.values(),
            options=self.options,
            provider=self.assistant.provider,
            model=self.configured.model or self.assistant.model,
        )
        if turn.schema is None or isinstance(self.assistant, Structured):
            return turn
        from .answers import with_answer_function

        return with_answer_function(turn)

    def _new_exchange(self, fits: AnswerSchema | None, *, corrected: bool = False) -> Exchange:
        answers = None
        if fits is not None:
            from .answers import Answers

            answers = Answers(fits, tuple(self.user.tools), corrected=corrected)
        self._exchange = Exchange(
            self.assistant,
            self.user,
            self.mediator,
            publish=self.publish,
            make_turn=self._turn,
            options=self.options,
            answers=answers,
        )
        return self._exchange

    def _require_idle(self) -> None:
        if self._exchange is not None and not self._exchange.settled.done():
            raise UsageError("An exchange is in progress.", "Wait for its answer, or cancel it.")
        if self.is_running:
            raise UsageError("The last exchange is still running at the provider.", "Await attach() first.")


def _accepted(
    assistant: AssistantProxy, schema: Mapping[str, Any] | None, check: Check | None = None
) -> AnswerSchema | None:
    """A schema that this assistant accepts.

    Raises:
        UsageError: it is not valid, or the assistant does not accept it.
    """
    if schema is None:
        return None
    from .answer_schema import AnswerSchema  # late, as `answers` is: few exchanges have a schema

    fits = AnswerSchema(schema, check)
    support = assistant.structured if isinstance(assistant, Structured) else SchemaSupport()
    support.check(fits.schema, assistant.provider)
    return fits
