"""Approval: which calls a person is asked about, what the question holds, and which answers count.

One rule: a call of a tool that needs approval runs only on a decision of its own that approves it, or after an "always" for its
tool. No answer, a question that fails, a decision for another call_id: each means no.

The rules are here. `runner.ToolRunner` applies them in the order of the script; an `Approver` (in the
terminal, `cli.approval_prompt.ApprovalPrompt`) asks the question.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from ..core.errors import ToolError
from ..core.events import ApprovalGiven, Decision, ToolCall
from ..core.invisible import escape_invisible
from ..core.redact import redacting_logger
from .arguments import parse
from .executor import BoundCall, bind_call, check_arguments
from .tool import Tool

__all__ = ["NOBODY", "Approvals", "Approver", "Question", "approve_all", "ask", "deny_all"]

NOBODY = "Nobody can be asked."
"""The reason of a refusal that no person gave."""

_log = redacting_logger(__name__)


@dataclass(frozen=True, slots=True)
class Question:
    """Whether a call may run. Answer with what `yes` or `no` returns."""

    call: ToolCall
    tool: Tool

    @property
    def arguments(self) -> str:
        """The arguments as indented JSON: exactly what the tool gets.

        Characters that nobody would see (control and format characters, unusual spaces, fillers) are escaped.
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
        return escape_invisible(text)

    @property
    def may_always(self) -> bool:
        """Whether "always in this session" is a possible answer."""
        return self.tool.approval != "always-ask"

    async def problem(self, arguments: str) -> str | None:
        """What is wrong with arguments that the person edited; None if the tool takes them."""
        return await check_arguments(self.tool, arguments)

    @property
    def source(self) -> str:
        """Where the tool comes from, for the person: a file, a package, an MCP server; empty for a program's own function."""
        source = self.tool.source
        return f"MCP server {source.removeprefix('mcp:')}" if source.startswith("mcp:") else source

    def yes(self, *, always: bool = False, arguments: str | None = None) -> Decision:
        """It may run; `always`: so may later calls of this tool; `arguments`: with these instead (JSON text)."""
        if arguments is not None and self._is_same(arguments):
            arguments = None  # only laid out differently: the assistant isn't told of a change
        return Decision(
            self.call.call_id, approved=True, arguments=arguments, always=always and self.may_always, by="person"
        )

    def _is_same(self, arguments: str) -> bool:
        try:
            given, asked = (json.dumps(parse(text), sort_keys=True) for text in (arguments, self.call.arguments))
        except ToolError:
            return False
        return given == asked

    def no(self, reason: str = "") -> Decision:
        """It may not run; the assistant is given the reason."""
        return Decision(self.call.call_id, approved=False, reason=reason, by="person")


Approver = Callable[[Sequence[Question]], Awaitable[Sequence[Decision]]]
"""Asks a person. A call without a decision is refused, unless another call of its tool got an "always" at the same time; if
asking raises, all are refused."""


async def approve_all(questions: Sequence[Question]) -> Sequence[Decision]:
    """Yes to everything (`--yes`)."""
    return [replace(question.yes(), by="option") for question in questions]


async def deny_all(questions: Sequence[Question]) -> Sequence[Decision]:
    """No to everything, since nobody can be asked."""
    return [replace(question.no(NOBODY), by="nobody") for question in questions]


async def ask(questions: Sequence[Question], approve: Approver) -> ApprovalGiven:
    """Ask a person; each call gets a decision, whatever the answer is."""
    try:
        answers = {answer.call_id: answer for answer in await approve(questions)}
    except Exception as error:  # noqa: BLE001 - a question that fails means no
        _log.exception("a person could not be asked")
        reason = f"{NOBODY} ({type(error).__name__}: {error})"
        answers = {question.call.call_id: replace(question.no(reason), by="nobody") for question in questions}
    answered = [(question, answers.get(question.call.call_id)) for question in questions]
    always = {tool_identity(question.tool) for question, answer in answered if answer and _is_always(question, answer)}
    return ApprovalGiven(tuple(_decision(question, answer, always) for question, answer in answered))


def _is_always(question: Question, answer: Decision) -> bool:
    return answer.approved and answer.always and question.may_always


def _decision(question: Question, answer: Decision | None, always: set[str]) -> Decision:
    """The answer as it counts and is recorded: no answer means no, and `always-ask` has no "always"."""
    if answer is None:
        if tool_identity(question.tool) in always:
            return replace(question.yes(), by="always")
        return replace(question.no("Nobody answered."), by="nobody")
    return answer if question.may_always or not answer.always else replace(answer, always=False)


def tool_identity(tool: Tool) -> str:
    """What an "always" is for: this tool of this source with this description and schema. If one of them changes, it ends."""
    return json.dumps([tool.name, tool.source, tool.description, tool.parameters], sort_keys=True)


class Approvals:
    """What a person has approved so far, and the calls that wait for approval.

    "Always" holds as long as this object lives: in a session that is continued, the person is asked again.
    """

    def __init__(self) -> None:
        self._always: set[str] = set()  # identities
        self._bound: dict[str, BoundCall] = {}  # by call_id: arguments are validated once, before the question

    def needs_approval(self, tool: Tool) -> bool:
        """Whether a call of this tool needs a person's yes."""
        return tool.approval == "always-ask" or (tool.approval == "ask" and tool_identity(tool) not in self._always)

    async def calls_to_ask(self, calls: Sequence[ToolCall], tools: Mapping[str, Tool]) -> list[ToolCall]:
        """The calls that need approval. One with invalid arguments fails anyway, so nobody is asked about it."""
        waiting = [call for call in calls if call.name in tools and self.needs_approval(tools[call.name])]
        bound = await asyncio.gather(*(bind_call(tools[call.name], call.arguments) for call in waiting))
        self._bound = {call.call_id: one for call, one in zip(waiting, bound, strict=True)}
        return [call for call in waiting if self._bound[call.call_id].problem is None]

    def apply(self, given: ApprovalGiven, calls: Sequence[ToolCall], tools: Mapping[str, Tool]) -> dict[str, Decision]:
        """The decisions about calls that need one, by call_id; "always" is remembered."""
        decisions: dict[str, Decision] = {}
        for decision in given.decisions:
            call = next((call for call in calls if call.call_id == decision.call_id), None)
            tool = tools.get(call.name) if call else None
            if tool is None or tool.approval == "never":
                continue
            decisions[decision.call_id] = decision
            if decision.approved and decision.always and tool.approval == "ask":
                self._always.add(tool_identity(tool))
        return decisions

    async def refusal(self, call: ToolCall, tool: Tool, decision: Decision | None) -> str | None:
        """Why the call may not run, for the assistant; None if it may."""
        if tool.approval == "never":
            return None
        if decision is None:
            if not self.needs_approval(tool):
                return None
            bound = self.bound(call, tool, call.arguments) or await bind_call(tool, call.arguments)
            return bound.problem or "This call was not approved."
        if decision.approved:
            return None
        who = "This call needs a person's approval." if decision.reason == NOBODY else "The person refused this call."
        return f"{who} {decision.reason}".strip()

    def bound(self, call: ToolCall, tool: Tool, arguments: str) -> BoundCall | None:
        """The call as it was validated before the question, once; None if it wasn't, or with other arguments."""
        found = self._bound.pop(call.call_id, None)
        return found if found and found.tool is tool and found.arguments == arguments else None

    def allow(self, tool: Tool) -> None:
        """Ask no more about this tool, as after an "always" in an answer; one that always asks still does."""
        self._always.add(tool_identity(tool))

    def forget(self, tool: Tool) -> None:
        """Ask about this tool again."""
        self._always.discard(tool_identity(tool))
