"""One exchange, from its first message to the record that settles it: it carries out what the script says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import TYPE_CHECKING, Protocol

from .driver import deliver_cancellation, receive_reply
from .errors import AssistantError, OutputError, ScriptError
from .events import (
    ActionRequired,
    ApprovalGiven,
    ApprovalRequested,
    Cancelled,
    ErrorOccurred,
    Event,
    MessageIncomplete,
    Record,
    SchemaMismatch,
    SetUserMessage,
    ToolCall,
    ToolsExecuted,
    is_message,
)
from .mediator import Mediator
from .openings import MakeTurn, Opening
from .redact import redact, redacting_logger
from .retry import RetryBudget
from .roles import AssistantProxy, UserProxy
from .script import ACTIVE, Do
from .turn import Options

if TYPE_CHECKING:
    from .answers import Answers

__all__ = ["Exchange", "PublishRecord", "to_error_event"]

_log = redacting_logger(__name__)


class PublishRecord(Protocol):
    """Stamps an event and gives the record to everybody; see `Conversation.publish`."""

    def __call__(self, event: Event, *, ending: bool = False) -> Record: ...


class Exchange:
    """Made for one exchange, in the task that holds it, and used once."""

    def __init__(
        self,
        assistant: AssistantProxy,
        user: UserProxy,
        mediator: Mediator,
        *,
        publish: PublishRecord,
        make_turn: MakeTurn,
        options: Options,
        answers: Answers | None = None,
    ) -> None:
        self.settled: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when everything is."""
        self.assistant, self._user, self._mediator = assistant, user, mediator
        self._publish_record, self.make_turn, self._options = publish, make_turn, options
        self._answers = answers  # what they must fit; None: they are free
        self._task = asyncio.current_task()
        self._cancelling_before = self._task.cancelling() if self._task else 0
        self._cancel_reason = Cancelled()
        self._retries = RetryBudget(options.retry)
        self._tool_rounds = 0
        self._calls: tuple[ToolCall, ...] = ()  # of the last ActionRequired, for the approval that may follow
        self._last: Record | None = None  # of the last message
        self._publish_failure: Exception | None = None  # a record that not everybody could take, and why

    def is_cancelled(self) -> bool:
        """Whether its task was cancelled since it began, even if a proxy swallowed or replaced the CancelledError."""
        return self._task is not None and self._task.cancelling() > self._cancelling_before

    def cancel(self, reason: Cancelled) -> None:
        """Stop it, unless it has settled."""
        if self._task is not None and not self.settled.done() and self._mediator.state in ACTIVE:
            self._cancel_reason = reason
            self._task.cancel()

    async def stop(self) -> None:
        """Cancel it and wait until it has settled; does nothing in its own task."""
        if not self.settled.done() and self._task is not asyncio.current_task():
            self.cancel(Cancelled())
            await asyncio.wait({self.settled})

    # ---- from the first message to the last ----------------------------------------------------------------------------

    async def hold(self, opening: Opening, timeout: float | None) -> Record:
        """Hold the exchange that begins like this; see `Conversation.exchange`, `attach` and `retry`."""
        limit = asyncio.timeout(timeout)
        try:
            async with limit:
                try:
                    return await self._follow_script(await opening(self))
                except BaseException as error:  # noqa: BLE001 - whatever it was, the exchange is settled
                    return self._settle_failed(self._publish_failure or error, timed_out=limit.expired())
        except TimeoutError:
            if not limit.expired() or self._last is None:
                raise
            return self._last
        finally:
            self.settled.set_result(None)

    async def _follow_script(self, event: Event) -> Record:
        while (do := self.publish(event)) is not None:
            reply = await self._carry_out(do, event)
            if self.is_cancelled():
                await deliver_cancellation()
            if reply is None:
                break
            event = reply
            if isinstance(event, ActionRequired):
                self._tool_rounds += 1
                if self._tool_rounds > self._options.max_tool_rounds:  # these calls get no answer: they are not kept
                    event = MessageIncomplete(event.text, "tool_rounds")
        assert self._last is not None  # noqa: S101 - it was published
        return self._last

    async def _carry_out(self, do: Do, event: Event) -> Event | None:
        """Let the proxy whose turn it is do what the script says; its reply is the next message."""
        match do, event:
            case Do.START_PROCESSING, SetUserMessage(text=text, attachments=attachments, schema=schema):
                turn = self.make_turn(text, attachments=attachments, schema=schema)
                return await self.receive(lambda: self.assistant.start_processing(turn))
            case Do.SUBMIT_TOOL_OUTPUTS, ToolsExecuted(results=results):
                return await self.receive(lambda: self.assistant.submit_tool_outputs(results))
            case Do.EXECUTE_TOOLS, ActionRequired(calls=calls):
                self._calls = calls
                return await self._execute(None)
            case Do.EXECUTE_TOOLS, ApprovalGiven() as approved:
                return await self._execute(approved)
            case Do.ASK_APPROVAL, ApprovalRequested(calls=calls):
                return await self._user.ask_approval(calls)
            case _:  # Do.SET_ASSISTANT_MESSAGE
                self._user.set_assistant_message(event)
                return None

    async def receive(self, request: Callable[[], AsyncIterator[Event]]) -> Event:
        """Publish what the assistant yields; returns the message that ends its reply, which is not published yet.

        An answer that does not fit the schema is corrected, in the state that it leads to.
        """
        opened = False
        while True:
            reply = await receive_reply(
                request,
                self.publish,
                retries=self._retries,
                heartbeat=self._options.heartbeat,
                is_cancelled=self.is_cancelled,
                opened=opened,
            )
            if self._answers is None:
                return reply
            judged = self._answers.judge(reply)
            if not isinstance(judged, SchemaMismatch):
                return judged
            self.publish(judged)
            turn = self.make_turn(judged.correction, schema=self._answers.schema, corrects=True)
            request, opened = partial(self.assistant.start_processing, turn), True

    async def _execute(self, approved: ApprovalGiven | None) -> Event:
        if self._answers is None:
            return await self._user.execute_tools(self._calls, approved, self.publish)
        return await self._answers.execute(
            self._calls, lambda calls: self._user.execute_tools(calls, approved, self.publish)
        )

    def publish(self, event: Event, *, ending: bool = False) -> Do | None:
        """Take a step of the script, or publish a note: everything that happens in an exchange goes through here."""
        takes_step = is_message(event)
        do = self._mediator.handle(event) if takes_step else None
        try:
            record = self._publish_record(event, ending=ending)
        except Exception as error:
            self._publish_failure = self._publish_failure or error
            raise
        if takes_step:
            self._last = record
        return do

    # ---- failures ------------------------------------------------------------------------------------------------------

    def _settle_failed(self, error: BaseException, *, timed_out: bool) -> Record:
        """Settle an exchange that failed: return its record, or raise what the caller must know."""
        match error:
            case OutputError() if error is self._publish_failure:
                self._settle_cancelled(Cancelled(error.reason))
                raise error
            case BrokenPipeError() if error is self._publish_failure:
                self._settle_cancelled(Cancelled("terminated"))
                raise error
            case OSError() if error is self._publish_failure:
                where = f"{error.filename}: " if error.filename else ""
                message = redact(" ".join(f"{where}{error.strerror or error}.".split()))
                self.publish(ErrorOccurred("storage", message, "Nothing is sent that can't be saved."), ending=True)
                raise error
            case KeyboardInterrupt() | SystemExit() | GeneratorExit():
                self._settle_cancelled(Cancelled("terminated"))
                raise error
            case _ if self.is_cancelled():
                self._settle_cancelled(Cancelled("timeout") if timed_out else self._cancel_reason)
                raise error if isinstance(error, asyncio.CancelledError) else asyncio.CancelledError from error
        self.publish(to_error_event(error), ending=True)
        assert self._last is not None  # noqa: S101 - it was published
        return self._last

    def _settle_cancelled(self, event: Cancelled) -> None:
        """Settle it as cancelled, unless it had not begun or was over."""
        if self._mediator.state in ACTIVE:
            self.publish(event, ending=True)


def to_error_event(error: BaseException) -> ErrorOccurred:
    """The event that settles an exchange which failed with this error; a bug, ours or a provider's, is logged as well."""
    match error:
        case AssistantError():
            return ErrorOccurred(error.kind, str(error), error.hint, error.code, tuple(error.data.items()))
        case ScriptError():
            return ErrorOccurred("protocol", str(error), "This is a bug in the provider's proxy.")
    _log.error("an exchange failed", exc_info=error)
    return ErrorOccurred("internal", _one_line(error), "This is a bug in asst or in a provider.")


def _one_line(error: BaseException) -> str:
    return redact(" ".join(f"{type(error).__name__}: {error}".split()))
