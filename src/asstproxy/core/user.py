"""The User Proxy: the person and the internal side. It sends messages, asks for approval and runs the function tools."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from .errors import AssistantError, UsageError
from .events import (
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
from .stream import RecordStream
from .tools import Tool, ToolError, as_tool

if TYPE_CHECKING:
    from .conversation import Conversation

__all__ = ["Approver", "UserProxy"]

Approver = Callable[[Sequence[ToolCall]], Awaitable[Sequence[Decision]]]
"""Asks a person about calls; one decision for each."""


class UserProxy:
    """Runs the tools, and is what a program holds in its hands: send a message, get the answer, watch the records."""

    def __init__(self, tools: Iterable[Callable[..., Any] | Tool] = (), approve: Approver | None = None) -> None:
        self.tools: dict[str, Tool] = {}
        self.offer(tools)
        self.approve = approve
        self.answer: Event | Unknown | None = None
        self._conversation: Conversation | None = None
        self._exchange: asyncio.Task[Record] | None = None

    def offer(self, tools: Iterable[Callable[..., Any] | Tool]) -> None:
        """Offer more tools to the assistant, from the next exchange on.

        Raises:
            UsageError: a function cannot be described, or two tools have one name.
        """
        for tool in map(as_tool, tools):
            if tool.name in self.tools:
                raise UsageError(f"Two tools are named '{tool.name}'.", "Rename one of the functions.")
            self.tools[tool.name] = tool

    # ---- the person's side ---------------------------------------------------------------------------------------------

    def join(self, conversation: Conversation) -> None:
        """Take part in a conversation."""
        self._conversation = conversation

    def send_user_message(self, text: str) -> None:
        """Open an exchange; it runs while the program does something else.

        Raises:
            UsageError: an exchange is under way, or there is no conversation.
        """
        if self._conversation is None:
            raise UsageError("This user proxy takes part in no conversation.")
        if self._exchange is not None and not self._exchange.done():
            raise UsageError("The assistant has not answered the last message yet.", "Await get_assistant_message().")
        self._exchange = asyncio.get_running_loop().create_task(self._conversation.exchange(text))

    async def get_assistant_message(self) -> str:
        """The answer to the last message, whole or, if it was cut short, in part.

        Raises:
            AssistantError: the exchange failed.
            asyncio.CancelledError: the exchange was cancelled.
            UsageError: no message was sent.
        """
        if self._exchange is None:
            raise UsageError("No message was sent.", "Call send_user_message(text) first.")
        match (await asyncio.shield(self._exchange)).event:
            case AssistantMessageRetrieved(text=text) | MessageIncomplete(text=text):
                return text
            case ErrorOccurred(kind=kind, message=message, hint=hint):
                raise AssistantError(kind, message, hint)  # type: ignore[arg-type]  # a newer asst may know more kinds
        raise asyncio.CancelledError

    def stream(self, text: str | None = None) -> AsyncIterator[Record]:
        """The records of the exchange as they come, to its end; with `text`, send that message first.

        A slow reader gets neighbouring pieces of text in one; nothing is lost.
        """
        if self._conversation is None:
            raise UsageError("This user proxy takes part in no conversation.")
        records = RecordStream()
        leave = self._conversation.subscribe(records)
        if text is not None:
            self.send_user_message(text)
        return _until_settled(records, leave)

    # ---- the mediator's side -------------------------------------------------------------------------------------------

    async def execute_tools(
        self, calls: Sequence[ToolCall], approved: ApprovalGiven | None, say: Callable[[Event], object]
    ) -> ToolsExecuted | ApprovalRequested:
        """Run the calls side by side; the results stand in the order of the calls. A failure is a result, too.

        Calls that a person must approve are asked for first.
        """
        if approved is None:
            doubtful = tuple(call for call in calls if self._needs_approval(call))
            if doubtful:
                return ApprovalRequested(doubtful)
        decisions = {decision.call_id: decision for decision in (approved.decisions if approved else ())}
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._execute(call, decisions.get(call.call_id), say)) for call in calls]
        except BaseExceptionGroup as failures:  # the journal failed in one of them: a tool's own failure is a result
            raise failures.exceptions[0] from None
        return ToolsExecuted(tuple(task.result() for task in tasks))

    def _needs_approval(self, call: ToolCall) -> bool:
        tool = self.tools.get(call.name)
        return tool is not None and tool.approval != "never"

    async def _execute(self, call: ToolCall, decision: Decision | None, say: Callable[[Event], object]) -> ToolResult:
        if decision is not None and not decision.approved:
            return ToolResult(call.call_id, error=f"The person refused this call. {decision.reason}".strip())
        arguments = call.arguments if decision is None or decision.arguments is None else decision.arguments
        say(ToolStarted(call.call_id, call.name, arguments))
        began = time.monotonic()
        try:
            if call.name not in self.tools:
                known = ", ".join(self.tools) or "none"
                raise ToolError(f"There is no tool '{call.name}'. Known tools: {known}.")
            result = ToolResult(call.call_id, await self.tools[call.name].call(arguments))
        except ToolError as error:
            result = ToolResult(call.call_id, error=str(error))
        say(ToolFinished(result, round(time.monotonic() - began, 3)))
        return result

    async def ask_approval(self, calls: Sequence[ToolCall]) -> ApprovalGiven:
        """Ask the person whether these calls may run; with nobody to ask, they may not."""
        if self.approve is None:
            return ApprovalGiven(
                tuple(Decision(c.call_id, approved=False, reason="Nobody can be asked.") for c in calls)
            )
        return ApprovalGiven(tuple(await self.approve(calls)))

    def set_assistant_message(self, message: Event | Unknown) -> None:
        """Take the answer."""
        self.answer = message


async def _until_settled(records: RecordStream, leave: Callable[[], None]) -> AsyncIterator[Record]:
    try:
        async for record in records:
            yield record
    finally:
        leave()
