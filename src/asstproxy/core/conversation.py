"""A conversation: the imperative shell around the mediator. It carries out what the script says, and publishes every step."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from typing import Any, cast

from ..user import UserProxy
from .clock import now
from .codec import repair_surrogates
from .driver import listen, stopping
from .errors import UsageError
from .events import (
    ActionRequired,
    ApprovalGiven,
    ApprovalRequested,
    Cancelled,
    Configured,
    ErrorOccurred,
    Event,
    HistoryCut,
    MessageIncomplete,
    Record,
    SetUserMessage,
    ToolsExecuted,
    is_message,
)
from .failing import one_line, to_error_event
from .history import History
from .hub import Hub, Subscriber
from .mediator import Mediator, make_mediator
from .resume import InFlight, in_flight_exchange, skip_received
from .retry import RetryBudget
from .roles import AssistantProxy, Attachable, Turn
from .script import ACTIVE, Do, State
from .turn import Options, turn_for

__all__ = ["Conversation", "Options", "one_line"]


class Conversation:
    """Two proxies who never meet, and the mediator between them.

    `past` are the records of a session that goes on. `configured` says who answers and how; change it with `configure`.
    """

    def __init__(
        self,
        assistant: AssistantProxy,
        user: UserProxy | None = None,
        *,
        configured: Configured | None = None,
        mediator: str = "state-machine",
        options: Options | None = None,
        past: Iterable[Record] = (),
    ) -> None:
        self.assistant = assistant
        self.user = user or UserProxy()
        self.user.join(self)
        self.options = options or Options()
        self.history = History()
        self._hub = Hub()
        self._seq = 0
        self._task: asyncio.Task[Any] | None = None
        self._cancel_reason = Cancelled()
        self._unheard: Exception | None = None  # a record that not everybody could take, and why
        self._said_configured: Configured | None = None
        state, past = State.NEW, list(past)
        for record in past:
            self._seq, state = record.seq, record.state
            self.history.feed(record.event)
            if isinstance(record.event, Configured):
                self._said_configured = record.event
        self.mediator: Mediator = make_mediator(mediator, state)
        self._running = in_flight_exchange(past) if state in ACTIVE else None
        self.configured = configured or Configured(provider=assistant.provider, model=assistant.model)

    @property
    def state(self) -> State:
        """Where the script stands."""
        return self.mediator.state

    @property
    def under_way(self) -> bool:
        """Whether an exchange has not settled; before the first one, that the past left one to `attach` to."""
        return self.state in ACTIVE

    def subscribe(self, subscriber: Subscriber, *, essential: bool = False) -> Callable[[], None]:
        """Let a callable hear every record; see `Hub.subscribe`."""
        return self._hub.subscribe(subscriber, essential=essential)

    def configure(self, configured: Configured, assistant: AssistantProxy | None = None) -> None:
        """Let another assistant, or the same one in another way, answer from the next exchange on.

        Raises:
            UsageError: an exchange is under way.
        """
        self._must_rest()
        self.configured = configured
        self.assistant = assistant or self.assistant

    def cut_history(self, keep: int) -> None:
        """Send the assistant only the first `keep` exchanges from now on. The journal keeps them all.

        Raises:
            UsageError: an exchange is under way.
        """
        self._must_rest()
        self.say(HistoryCut(keep))

    def cancel(self, reason: Cancelled | None = None) -> None:
        """Stop the exchange that is under way, if any; what was received is kept."""
        if self._task is not None and self.state in ACTIVE:
            self._cancel_reason = reason or Cancelled()
            self._task.cancel()

    async def aclose(self) -> None:
        """Stop what is under way and let go of the assistant and of what the tools needed."""
        if self._task is not None and self._task is not asyncio.current_task():
            self.cancel()
            await asyncio.wait({self._over})
        try:
            await self.assistant.aclose()
        finally:
            await self.user.let_go()

    async def stream(self, text: str) -> AsyncIterator[Record]:
        """Hold an exchange and give its records as they come. Leaving the loop early cancels the exchange.

        Raises:
            UsageError: the message is empty, or an exchange is under way.
            OSError: as `exchange`, after its last record.
        """
        records = self.user.stream(text)
        exchange = self.user.under_way
        try:
            async for record in records:
                yield record
        finally:
            if exchange is not None and not exchange.done():  # the one under way is this one, not a later one
                self.cancel()
                await asyncio.wait({exchange})

    async def exchange(self, text: str, *, timeout: float | None = None) -> Record:
        """Hold one exchange; returns the record that settled it. `timeout` is in seconds.

        A failure of the assistant settles the exchange as `error` and is not raised.

        Raises:
            UsageError: the message is empty, or an exchange is under way.
            asyncio.CancelledError: the exchange was cancelled; its record is published.
            OSError: the journal cannot be written, or nobody reads our output any more.
        """
        self._must_rest()
        text = repair_surrogates(text)
        if not text.strip():
            raise UsageError("The message is empty.", "Say something.")
        return await self._hold(self._opened(text), timeout)

    async def attach(self, *, timeout: float | None = None) -> Record:
        """See the exchange that the past left under way at the provider to its end; see `exchange`.

        Raises:
            UsageError: there is none, or this assistant cannot take it up.
        """
        if self._running is None or self._task is not None or not hasattr(self.assistant, "attach"):
            raise UsageError("There is no exchange to attach to.", "Ask again: --retry.")
        return await self._hold(self._taken_up(self._running), timeout)

    async def _hold(self, first: Coroutine[Any, Any, Event], timeout: float | None) -> Record:
        self._task, self._over = asyncio.current_task(), asyncio.get_running_loop().create_future()
        self._cancel_reason, self._unheard = Cancelled(), None
        self._retries = RetryBudget(self.options.patience)
        limit, stopped = asyncio.timeout(timeout), stopping()
        try:
            async with limit:
                try:
                    return await self._follow_script(await first, stopped)
                except BaseException as error:  # noqa: BLE001 - whatever it was, the exchange is settled
                    return self._end(self._unheard or error, stopped=stopped(), late=limit.expired())
        except TimeoutError:
            if not limit.expired():
                raise
            return self._last
        finally:
            self._task = None
            self._over.set_result(None)

    async def _opened(self, text: str) -> Event:
        if self.configured != self._said_configured:
            self.say(self.configured)
            self._said_configured = self.configured
        return SetUserMessage(text)

    async def _taken_up(self, running: InFlight) -> Event:
        self._running = None
        turn = self._turn("", running.resume)
        attach = cast("Attachable", self.assistant).attach
        return await listen(lambda: skip_received(attach(turn), running.heard), self._step, self._retries)

    async def _follow_script(self, event: Event, stopped: Callable[[], bool]) -> Record:
        do = self._step(event)
        rounds = 0
        while do is not None:
            said = await self._carry_out(do)
            if stopped():
                raise asyncio.CancelledError  # a proxy has swallowed it
            if said is None:
                break
            event = said
            if isinstance(event, ActionRequired):
                rounds += 1
                if rounds > self.options.max_tool_rounds:  # nobody will ever answer this call, so it is not kept
                    event = MessageIncomplete(event.text, "tool_rounds")
            do = self._step(event)
        return self._last

    def _end(self, error: BaseException, *, stopped: bool, late: bool) -> Record:
        """Settle an exchange that failed: return its record, or raise what the caller must know."""
        match error:
            case BrokenPipeError() if error is self._unheard:
                self._stop(Cancelled("terminated"))
                raise error
            case OSError() if error is self._unheard:
                self._settle(ErrorOccurred("storage", one_line(error), "Nothing is sent that cannot be kept."))
                raise error
            case KeyboardInterrupt() | SystemExit() | GeneratorExit():
                self._stop(Cancelled("terminated"))
                raise error
            case _ if stopped:
                self._stop(Cancelled("timeout") if late else self._cancel_reason)
                raise error if isinstance(error, asyncio.CancelledError) else asyncio.CancelledError from error
        return self._settle(to_error_event(error))

    async def _carry_out(self, do: Do) -> Event | None:
        """Let the proxy whose turn it is do what the script says; what it answers is the next message."""
        cause = self._last.event
        match do, cause:
            case Do.START_PROCESSING, SetUserMessage(text=text):
                turn = self._turn(text)
                return await listen(lambda: self.assistant.start_processing(turn), self._step, self._retries)
            case Do.SUBMIT_TOOL_OUTPUTS, ToolsExecuted(results=results):
                return await listen(lambda: self.assistant.submit_tool_outputs(results), self._step, self._retries)
            case Do.EXECUTE_TOOLS, ActionRequired(calls=calls):
                self._calls = calls
                return await self.user.execute_tools(calls, None, self._step)
            case Do.EXECUTE_TOOLS, ApprovalGiven() as approved:
                return await self.user.execute_tools(self._calls, approved, self._step)
            case Do.ASK_APPROVAL, ApprovalRequested(calls=calls):
                return await self.user.ask_approval(calls)
            case _:  # Do.SET_ASSISTANT_MESSAGE
                self.user.set_assistant_message(cause)
                return None

    def _turn(self, text: str, running: Any = None) -> Turn:
        tools = (tool.spec for tool in self.user.tools.values())
        return turn_for(text, self.configured, self.assistant, self.history, tools, self.options, running=running)

    # ---- every step goes through here ----------------------------------------------------------------------------------

    def say(self, note: Event) -> Record:
        """Publish a note: it is stamped, journalled and seen, and does not move the script."""
        return self._publish(note)

    def _step(self, event: Event) -> Do | None:
        """Take a step of the script, or publish a note."""
        do = self.mediator.handle(event) if is_message(event) else None
        self._publish(event)
        return do

    def _settle(self, event: Event) -> Record:
        """End a failed exchange: everybody hears it, whatever fails."""
        self.mediator.handle(event)
        return self._publish(event, ending=True)

    def _stop(self, event: Cancelled) -> None:
        """End an exchange that was stopped, unless it had not begun or was over."""
        if self.state in ACTIVE:
            self._settle(event)

    def _publish(self, event: Event, *, ending: bool = False) -> Record:
        self._seq += 1
        record = Record(self._seq, now(), self.mediator.state, event)
        if is_message(event):
            self._last = record
        self.history.feed(event)
        try:
            self._hub.publish(record, ending=ending)
        except Exception as error:
            self._unheard = self._unheard or error
            raise
        return record

    def _must_rest(self) -> None:
        if self._task is not None:
            raise UsageError("An exchange is under way.", "Wait for its answer, or cancel it.")
        if self.under_way:
            raise UsageError("The last exchange goes on at the provider.", "Await attach() first.")
