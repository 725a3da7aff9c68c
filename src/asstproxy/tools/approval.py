"""Approval: which calls a person is asked about, what the question holds, and what can be answered.

One rule: a call of a tool that needs approval runs only on a decision of its own that approves it, or after an "always"
for its tool. No answer, a broken question, a call_id that is not the call's: each is a no.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from ..core.errors import ToolError
from ..core.events import ApprovalGiven, Decision, ToolCall
from ..core.redact import redacting_logger
from .arguments import parse
from .executor import check_arguments
from .tool import Tool

__all__ = ["NOBODY", "Approvals", "Approver", "Question", "approve_all", "deny_all"]

NOBODY = "Nobody can be asked."
"""The reason of a refusal that no person gave."""

_log = redacting_logger(__name__)


@dataclass(frozen=True, slots=True)
class Question:
    """May this call run? Answer with what `yes` or `no` returns."""

    call: ToolCall
    tool: Tool

    @property
    def arguments(self) -> str:
        """The exact arguments, for a person to read: what the tool gets, and nothing that it does not get.

        What nobody would see (control and format characters, strange blanks) stands there as JSON's escape.
        """
        return self._json(indent=2)

    @property
    def arguments_line(self) -> str:
        """The same in one line, for a person to edit."""
        return self._json(indent=None)

    def _json(self, *, indent: int | None) -> str:
        try:
            text = json.dumps(parse(self.call.arguments), indent=indent, ensure_ascii=False)
        except ToolError:
            return self.call.arguments
        return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)

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
"""Asks a person. A call without a decision is refused, unless another of its tool got an "always" at the same time; when
asking raises, all are refused."""


async def approve_all(questions: Sequence[Question]) -> Sequence[Decision]:
    """Yes to everything (`--yes`)."""
    return [question.yes() for question in questions]


async def deny_all(questions: Sequence[Question]) -> Sequence[Decision]:
    """No to everything: nobody can be asked."""
    return [question.no(NOBODY) for question in questions]


async def ask(questions: Sequence[Question], approve: Approver) -> ApprovalGiven:
    """Ask a person; each call gets a decision, whatever the answer is like."""
    try:
        answers = {answer.call_id: answer for answer in await approve(questions)}
    except Exception as error:  # noqa: BLE001 - a question that fails is a no
        _log.exception("a person could not be asked")
        answers = {q.call.call_id: q.no(f"{NOBODY} ({type(error).__name__}: {error})") for q in questions}
    answered = [(question, answers.get(question.call.call_id)) for question in questions]
    always = {question.tool.name for question, answer in answered if answer and _is_always(question, answer)}
    return ApprovalGiven(tuple(_settled(question, answer, always) for question, answer in answered))


def _is_always(question: Question, answer: Decision) -> bool:
    return answer.approved and answer.always and question.may_always


def _settled(question: Question, answer: Decision | None, always: set[str]) -> Decision:
    """The answer as it counts and is recorded: none is a no, and "always" is none to `always-ask`."""
    if answer is None:
        return question.yes() if question.tool.name in always else question.no("There was no answer.")
    return answer if question.may_always or not answer.always else msgspec.structs.replace(answer, always=False)


class Approvals:
    """What a person has said so far. "Always" holds as long as this object lives: a session that goes on asks again."""

    def __init__(self) -> None:
        self._always: set[str] = set()

    def needed(self, tool: Tool) -> bool:
        """Whether a call of this tool needs a person's yes."""
        return tool.approval == "always-ask" or (tool.approval == "ask" and tool.name not in self._always)

    async def doubtful(self, calls: Sequence[ToolCall], tools: Mapping[str, Tool]) -> list[ToolCall]:
        """The calls to ask about. One whose arguments do not fit fails anyway, so nobody is troubled with it."""
        asked = [call for call in calls if call.name in tools and self.needed(tools[call.name])]
        problems = await asyncio.gather(*(check_arguments(tools[call.name], call.arguments) for call in asked))
        return [call for call, problem in zip(asked, problems, strict=True) if problem is None]

    def take(self, given: ApprovalGiven, calls: Sequence[ToolCall], tools: Mapping[str, Tool]) -> dict[str, Decision]:
        """The decisions about calls that need one, by call_id; what was said for always is kept in mind."""
        decisions: dict[str, Decision] = {}
        for decision in given.decisions:
            call = next((call for call in calls if call.call_id == decision.call_id), None)
            tool = tools.get(call.name) if call else None
            if tool is None or tool.approval == "never":
                continue
            decisions[decision.call_id] = decision
            if decision.approved and decision.always and tool.approval == "ask":
                self._always.add(tool.name)
        return decisions

    async def refusal(self, call: ToolCall, tool: Tool, decision: Decision | None) -> str | None:
        """Why the call may not run, for the assistant; None if it may."""
        if tool.approval == "never":
            return None
        if decision is None:
            if not self.needed(tool):
                return None
            return await check_arguments(tool, call.arguments) or "This call was not approved."
        if decision.approved:
            return None
        who = "This call needs a person's approval." if decision.reason == NOBODY else "The person refused this call."
        return f"{who} {decision.reason}".strip()

    def forget(self, name: str) -> None:
        """Ask about this tool again."""
        self._always.discard(name)
