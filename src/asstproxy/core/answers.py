"""The answers of one exchange whose message has a schema: judged here, before anybody sees them.

An assistant answers with text, or, where its API knows no schemas, by calling the function `answer`. Either way the answer becomes
an `AssistantMessageRetrieved` whose text is one line of JSON that fits. The first answer that does not fit is corrected: a note
says why, and the assistant is asked again. After the second one, the exchange ends as incomplete, and its text is kept.
"""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from .answer_schema import AnswerSchema, MismatchError, one_line
from .events import (
    SCHEMA_REASON,
    ActionRequired,
    ApprovalRequested,
    AssistantMessageRetrieved,
    Event,
    MessageIncomplete,
    SchemaMismatch,
    ToolCall,
    ToolResult,
    ToolsExecuted,
)
from .turn import ToolSpec, Turn

if TYPE_CHECKING:
    from .openings import MakeTurn

__all__ = ["ANSWER", "Answers", "by_function", "with_answer_function"]

ANSWER = "answer"
"""The name of the function, unless a tool has it."""
DESCRIPTION = "Give the final answer. Call this once, alone, when you have everything that you need."
INSTRUCTION = "Give your final answer by calling the function `{name}`, not as text."
TOO_SOON = "Not taken: other functions were called together with it. Read their results, then call it again, alone."

RunTools = Callable[[Sequence[ToolCall]], Awaitable[ToolsExecuted | ApprovalRequested]]


class Answers:
    """Judges the answers of one exchange; `tools` are the names of the tools, `corrected`: one answer was corrected before."""

    def __init__(self, schema: AnswerSchema, tools: Sequence[str] = (), *, corrected: bool = False) -> None:
        self._schema, self._corrected = schema, corrected
        self._function = _name(tools)
        self._results: list[ToolResult] = []

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema."""
        return self._schema.schema

    def judge(self, reply: Event) -> Event:
        """What becomes of a reply: the answer, `SchemaMismatch` if it is to be corrected, else the reply itself."""
        if (
            isinstance(reply, ActionRequired)
            and (calls := self._answering(reply.calls))
            and len(calls) == len(reply.calls)
        ):
            # The call gets no result, so neither `raw` nor the provider's own conversation may contain it.
            reply = AssistantMessageRetrieved(calls[-1].arguments)
        if not isinstance(reply, AssistantMessageRetrieved):
            return reply
        try:
            return msgspec.structs.replace(reply, text=one_line(self._schema.read(reply.text)))
        except MismatchError as error:
            if self._corrected:
                return MessageIncomplete(reply.text, SCHEMA_REASON, reply.raw, reply.resume, error.problems)
            self._corrected = True
            correction = self._schema.correction(error.problems)
            return SchemaMismatch(reply.text, error.problems, correction, reply.raw, reply.resume)

    async def execute(self, calls: Sequence[ToolCall], run: RunTools) -> ToolsExecuted | ApprovalRequested:
        """Run the calls but those of the answer: an answer that was given before the results is not taken."""
        answers = self._answering(calls)
        done = await run([call for call in calls if call not in answers])
        if not answers or not isinstance(done, ToolsExecuted):
            return done
        results = {result.call_id: result for result in done.results}
        results |= {call.call_id: ToolResult(call.call_id, error=TOO_SOON) for call in answers}
        return ToolsExecuted(tuple(results[call.call_id] for call in calls))

    def _answering(self, calls: Sequence[ToolCall]) -> list[ToolCall]:
        return [call for call in calls if call.name == self._function]


def with_answer_function(turn: Turn) -> Turn:
    """The turn without its schema, but with a function whose call is the answer, and the instruction to call it."""
    if turn.schema is None:
        return turn
    name = _name([tool.name for tool in turn.tools])
    asked = "\n\n".join(filter(None, (turn.instructions, INSTRUCTION.format(name=name))))
    tools = (*turn.tools, ToolSpec(name, DESCRIPTION, turn.schema))
    return msgspec.structs.replace(turn, schema=None, tools=tools, instructions=asked)


def by_function(make_turn: MakeTurn) -> MakeTurn:
    """The same turns, each without its schema, but with the function; for an assistant whose API knows no schemas."""

    def make(*given: Any, **named: Any) -> Turn:
        return with_answer_function(make_turn(*given, **named))

    return make


def _name(tools: Sequence[str]) -> str:
    numbered = (f"{ANSWER}_{number}" for number in itertools.count(2))
    return next(name for name in itertools.chain([ANSWER, f"final_{ANSWER}"], numbered) if name not in tools)
