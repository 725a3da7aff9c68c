"""The tool runner: runs the calls of one reply side by side, each only when it may run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..core.errors import UsageError
from ..core.events import (
    ApprovalGiven,
    ApprovalRequested,
    Decision,
    ToolCall,
    ToolFinished,
    ToolResult,
    ToolsExecuted,
    ToolStarted,
)
from ..core.roles import Publish
from .approval import Approvals, Approver, Question, ask
from .edit_note import edit_note
from .executor import Outcome, run_tool
from .tool import Tool, as_tool

__all__ = ["MAX_TOOLS", "ToolRunner"]

MAX_TOOLS = 128
"""OpenAI takes no more in one request."""


class ToolRunner:
    """The tools that an assistant may call, by name, and what the person has approved so far."""

    def __init__(self, tools: Iterable[Callable[..., Any] | Tool] = ()) -> None:
        self.tools: dict[str, Tool] = {}
        self.approvals = Approvals()
        self.offer(tools)

    def offer(self, tools: Iterable[Callable[..., Any] | Tool]) -> None:
        """Offer more tools to the assistant.

        Raises:
            UsageError: a function can't be described, two tools have the same name, or there are too many; none is offered.
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
        """Stop offering a tool; an "always" for it is forgotten."""
        if tool := self.tools.pop(name, None):
            self.approvals.forget(tool)

    async def execute(
        self, calls: Sequence[ToolCall], approved: ApprovalGiven | None, publish: Publish
    ) -> ToolsExecuted | ApprovalRequested:
        """Run the calls side by side; the results are in the order of the calls. A failure is a result, too.

        Without `approved`, approval is requested first if a call needs it; such a call runs only on a decision that
        approves it.
        """
        first = {call.call_id: index for index, call in reversed([*enumerate(calls)])}
        unique = [call for index, call in enumerate(calls) if first[call.call_id] == index]
        if approved is None:
            if calls_to_ask := await self.approvals.calls_to_ask(unique, self.tools):
                return ApprovalRequested(tuple(calls_to_ask))
            approved = ApprovalGiven(())
        decisions = self.approvals.apply(approved, unique, self.tools)
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(
                        self._execute(
                            call, decisions.get(call.call_id), publish, duplicate=first[call.call_id] != index
                        )
                    )
                    for index, call in enumerate(calls)
                ]
        except BaseExceptionGroup as failures:  # the journal failed in one of them: a tool's own failure is a result
            raise failures.exceptions[0] from None
        return ToolsExecuted(tuple(task.result() for task in tasks))

    async def ask(self, calls: Sequence[ToolCall], approve: Approver) -> ApprovalGiven:
        """Ask a person whether these calls may run."""
        return await ask([Question(call, self.tools[call.name]) for call in calls], approve)

    async def _execute(
        self, call: ToolCall, decision: Decision | None, publish: Publish, *, duplicate: bool
    ) -> ToolResult:
        arguments, note = call.arguments, ""
        if decision is not None and decision.arguments not in (None, arguments):
            arguments = str(decision.arguments)
            note = edit_note(arguments)
        refusal = "Two calls have this call_id." if duplicate else await self._refusal(call, decision)
        if refusal is None:
            tool = self.tools[call.name]
            publish(ToolStarted(call.call_id, call.name, arguments, _approved_by(tool, decision)))
            outcome = await run_tool(tool, arguments, self.approvals.bound(call, tool, arguments))
        else:
            outcome, note = Outcome(error=refusal), ""
        if outcome.error is None:
            result = ToolResult(call.call_id, f"{note}\n{outcome.output}" if note else outcome.output)
        else:
            result = ToolResult(call.call_id, error=f"{note} {outcome.error}".lstrip())
        publish(ToolFinished(result, outcome.seconds, outcome.abandoned, outcome.printed))
        return result

    async def _refusal(self, call: ToolCall, decision: Decision | None) -> str | None:
        tool = self.tools.get(call.name)
        if tool is None:
            return f"No such tool: '{call.name}'. Known tools: {', '.join(self.tools) or 'none'}."
        return await self.approvals.refusal(call, tool, decision)


def _approved_by(tool: Tool, decision: Decision | None) -> str:
    """Who approved a call that may run: nobody had to, somebody did, or an earlier "always" holds."""
    if tool.approval == "never":
        return ""
    return decision.by if decision is not None else "always"
