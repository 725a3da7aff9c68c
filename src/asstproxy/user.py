"""The User Proxy: the person and the internal side. It sends messages, asks for approval and runs function tools."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from .core.errors import AssistantError, UsageError
from .core.events import (
    ApprovalGiven,
    ApprovalRequested,
    AssistantMessageRetrieved,
    Decision,
    ErrorOccurred,
    Event,
    MessageIncomplete,
    Record,
    ToolCall,
    ToolFinished,
    ToolResult,
    ToolsExecuted,
    ToolStarted,
    Unknown,
)
from .core.record_stream import RecordStream
from .core.redact import redacting_logger
from .tools import Approver, Outcome, Question, Tool, as_tool, deny_all, run_tool, truncate
from .tools.approval import Approvals, ask

if TYPE_CHECKING:
    from .core.conversation import Conversation

__all__ = ["MAX_TOOLS", "Approver", "UserProxy"]

MAX_TOOLS = 128
"""OpenAI takes no more in one request."""
SHOWN = 1000
"""Bytes of edited arguments that the assistant is reminded of."""

_log = redacting_logger(__name__)


class UserProxy:
    """Runs the tools, and is what a program holds in its hands: send a message, get the answer, watch the records.

    `approve` asks a person about calls that need it; without it they are refused.
    """

    def __init__(self, tools: Iterable[Callable[..., Any] | Tool] = (), approve: Approver | None = None) -> None:
        self.tools: dict[str, Tool] = {}
        self.offer(tools)
        self.approve = approve
        self.answer: Event | Unknown | None = None
        self._approvals = Approvals()
        self._kept: list[Callable[[], Awaitable[object]]] = []
        self._conversation: Conversation | None = None
        self.under_way: asyncio.Task[Record] | None = None
        """The exchange of the last message that was sent."""

    def offer(self, tools: Iterable[Callable[..., Any] | Tool]) -> None:
        """Offer more tools to the assistant, from the next exchange on.

        Raises:
            UsageError: a function cannot be described, two tools have one name, or they are too many; none is offered.
        """
        offered = dict(self.tools)
        for tool in map(as_tool, tools):
            if other := offered.get(tool.name):
                where = " and ".join(dict.fromkeys(one.source for one in (other, tool) if one.source))
                raise UsageError(
                    f"Two tools are named '{tool.name}'{f' ({where})' if where else ''}.",
                    'Rename one of the functions, or give it another name: @tool(name="…").',
                )
            offered[tool.name] = tool
        if len(offered) > MAX_TOOLS:
            raise UsageError(f"{len(offered)} tools are too many: providers take {MAX_TOOLS}.", "Offer fewer.")
        self.tools = offered

    def withdraw(self, name: str) -> None:
        """Offer a tool no longer; what was said about it ("always") is forgotten."""
        self.tools.pop(name, None)
        self._approvals.forget(name)

    def keep(self, close: Callable[[], Awaitable[object]]) -> None:
        """Let something that the tools need live as long as the conversation: `close` is awaited at its end."""
        self._kept.append(close)

    async def let_go(self) -> None:
        """Close what was kept for the tools; the conversation does it at its end."""
        while self._kept:
            try:
                await self._kept.pop()()
            except Exception:  # noqa: BLE001 - whatever fails there, the rest is closed
                _log.exception("something that the tools needed could not be closed")

    # ---- the person's side -------------------------------------------------------------------------------------------

    def join(self, conversation: Conversation) -> None:
        """Take part in a conversation."""
        self._conversation = conversation

    @property
    def conversation(self) -> Conversation:
        """The conversation that it takes part in.

        Raises:
            UsageError: there is none.
        """
        if self._conversation is None:
            raise UsageError("This user proxy takes part in no conversation.", "Give it to a Conversation.")
        return self._conversation

    async def aclose(self) -> None:
        """End the conversation: stop what is under way, and let go of the assistant and of what the tools needed."""
        await self.conversation.aclose()

    def send_user_message(self, text: str) -> None:
        """Open an exchange; it runs while the program does something else.

        Raises:
            UsageError: an exchange is under way, or there is no conversation.
        """
        if self.under_way is not None and not self.under_way.done():
            raise UsageError("The assistant has not answered the last message yet.", "Await get_assistant_message().")
        self.under_way = asyncio.get_running_loop().create_task(self.conversation.exchange(text))

    async def get_assistant_message(self) -> str:
        """The answer to the last message, whole or, if it was cut short, in part.

        Raises:
            AssistantError: the exchange failed.
            asyncio.CancelledError: the exchange was cancelled.
            UsageError: no message was sent.
        """
        if self.under_way is None:
            raise UsageError("No message was sent.", "Call send_user_message(text) first.")
        match (await asyncio.shield(self.under_way)).event:
            case AssistantMessageRetrieved(text=text) | MessageIncomplete(text=text):
                return text
            case ErrorOccurred(kind=kind, message=message, hint=hint):
                raise AssistantError(kind, message, hint)  # type: ignore[arg-type]  # a newer asst may know more kinds
        raise asyncio.CancelledError

    def stream(self, text: str | None = None) -> AsyncIterator[Record]:
        """The records of the exchange as they come, to its end; with `text`, send that message first.

        A slow reader gets neighbouring pieces of text in one; nothing is lost. After the last record, what the exchange
        raised is raised (see `Conversation.exchange`), but for its cancellation.
        """
        records = RecordStream()
        if text is not None:
            self.send_user_message(text)
        return _until_settled(records, self.conversation.subscribe(records), self.under_way)

    # ---- the mediator's side -----------------------------------------------------------------------------------------

    async def execute_tools(
        self, calls: Sequence[ToolCall], approved: ApprovalGiven | None, say: Callable[[Event], object]
    ) -> ToolsExecuted | ApprovalRequested:
        """Run the calls side by side; the results stand in the order of the calls. A failure is a result, too.

        Calls that a person must approve are asked about first; such a call runs only on a decision that approves it.
        """
        first = {call.call_id: index for index, call in reversed([*enumerate(calls)])}
        single = [call for index, call in enumerate(calls) if first[call.call_id] == index]
        if approved is None:
            if doubtful := await self._approvals.doubtful(single, self.tools):
                return ApprovalRequested(tuple(doubtful))
            approved = ApprovalGiven(())
        decisions = self._approvals.take(approved, single, self.tools)
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(
                        self._execute(call, decisions.get(call.call_id), say, twice=first[call.call_id] != index)
                    )
                    for index, call in enumerate(calls)
                ]
        except BaseExceptionGroup as failures:  # the journal failed in one of them: a tool's own failure is a result
            raise failures.exceptions[0] from None
        return ToolsExecuted(tuple(task.result() for task in tasks))

    async def _execute(
        self, call: ToolCall, decision: Decision | None, say: Callable[[Event], object], *, twice: bool
    ) -> ToolResult:
        arguments, note = call.arguments, ""
        if decision is not None and decision.arguments not in (None, arguments):
            arguments = str(decision.arguments)
            note = f"The person changed the arguments to {truncate(arguments, SHOWN)}."  # else what follows is mistaken
        refusal = "Two calls have this call_id." if twice else await self._refusal(call, decision)
        if refusal is None:
            say(ToolStarted(call.call_id, call.name, arguments))
            outcome = await run_tool(self.tools[call.name], arguments)
        else:
            outcome, note = Outcome(error=refusal), ""
        if outcome.error is None:
            result = ToolResult(call.call_id, f"{note}\n{outcome.output}" if note else outcome.output)
        else:
            result = ToolResult(call.call_id, error=f"{note} {outcome.error}".lstrip())
        say(ToolFinished(result, outcome.seconds, outcome.abandoned, outcome.printed))
        return result

    async def _refusal(self, call: ToolCall, decision: Decision | None) -> str | None:
        tool = self.tools.get(call.name)
        if tool is None:
            return f"There is no tool '{call.name}'. Known tools: {', '.join(self.tools) or 'none'}."
        return await self._approvals.refusal(call, tool, decision)

    async def ask_approval(self, calls: Sequence[ToolCall]) -> ApprovalGiven:
        """Ask the person whether these calls may run; with nobody to ask, they may not."""
        return await ask([Question(call, self.tools[call.name]) for call in calls], self.approve or deny_all)

    def set_assistant_message(self, message: Event | Unknown) -> None:
        """Take the answer."""
        self.answer = message


async def _until_settled(
    records: RecordStream, leave: Callable[[], None], exchange: asyncio.Task[Record] | None
) -> AsyncIterator[Record]:
    if exchange is not None:
        exchange.add_done_callback(lambda _: records.end())
    try:
        async for record in records:
            yield record
    finally:
        leave()
    if exchange is not None and exchange.done() and not exchange.cancelled():
        exchange.result()
