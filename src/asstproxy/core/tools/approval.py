"""Approval: which calls a person is asked about, what the question holds, and what can be answered."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from ..events import Decision, ToolCall
from .arguments import parse
from .declare import Tool
from .errors import ToolError
from .running import check_arguments

__all__ = ["Approver", "Question", "approve_all", "deny_all"]


@dataclass(frozen=True, slots=True)
class Question:
    """May this call run? Answer with what `yes` or `no` returns."""

    call: ToolCall
    tool: Tool

    @property
    def arguments(self) -> str:
        """The exact arguments, for a person to read: what the tool gets, and nothing that it does not get."""
        try:
            return json.dumps(parse(self.call.arguments), indent=2, ensure_ascii=False)
        except ToolError:
            return self.call.arguments

    @property
    def may_always(self) -> bool:
        """Whether "always for this session" is an answer."""
        return self.tool.approval != "always-ask"

    async def problem(self, arguments: str) -> str | None:
        """What is wrong with arguments that the person wrote; None if the tool takes them."""
        return await check_arguments(self.tool, arguments)

    def yes(self, *, always: bool = False, arguments: str | None = None) -> Decision:
        """It may run; `always`: and so may later calls of this tool; `arguments`: with these instead (JSON text)."""
        return Decision(self.call.call_id, approved=True, arguments=arguments, always=always and self.may_always)

    def no(self, reason: str = "") -> Decision:
        """It may not; the assistant is told the reason."""
        return Decision(self.call.call_id, approved=False, reason=reason)


Approver = Callable[[Sequence[Question]], Awaitable[Sequence[Decision]]]
"""Asks a person. A call without a decision is refused; so is every call when it raises."""


async def approve_all(questions: Sequence[Question]) -> Sequence[Decision]:
    """Yes to everything (`--yes`)."""
    return [question.yes() for question in questions]


async def deny_all(questions: Sequence[Question]) -> Sequence[Decision]:
    """No to everything: nobody can be asked."""
    return [question.no("Nobody can be asked.") for question in questions]
