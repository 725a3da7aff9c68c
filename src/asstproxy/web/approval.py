"""The question whether tools may run, asked in the page: answered by a click, see `static/conversation.js`."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from typing import Any

from ..core.errors import UsageError
from ..core.events import Decision
from ..tools import Question

__all__ = ["PageApproval"]


class PageApproval:
    """Asks for one conversation. `changed` is called when there is a question, and when there is none any more."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._questions: dict[str, Question] = {}  # by an id that isn't used again, as a call_id may be
        self._answers: asyncio.Future[Sequence[Decision]] | None = None

    @property
    def asked(self) -> list[dict[str, Any]]:
        """The calls that wait for an answer, as the page shows them."""
        return [{"id": name} | _asked(question) for name, question in self._questions.items()]

    async def approve(self, questions: Sequence[Question]) -> Sequence[Decision]:
        """Ask in the page; waits until `answer` is called."""
        self._questions = {secrets.token_hex(8): question for question in questions}
        self._answers = asyncio.get_running_loop().create_future()
        self._changed()
        try:
            return await self._answers
        finally:
            self._questions, self._answers = {}, None
            self._changed()

    async def answer(self, given: dict[str, dict[str, Any]]) -> None:
        """Answer the question whether calls may run: for the `id` of each in `asked` an `answer` (`yes`, `always`, `no`).

        A `no` may have a `reason`; a `yes` may have other `arguments` (JSON text), which the tool must take. A call that isn't
        named is refused.

        Raises:
            UsageError: nothing is asked now, the calls are others, or a tool doesn't take the arguments.
        """
        answers = self._answers
        if answers is None or not given.keys() <= self._questions.keys() or not given:
            raise UsageError("These calls aren't waiting for an answer.", "Reload the page.")
        decisions = []
        for name, question in self._questions.items():
            one = given.get(name, {})
            answer, arguments = one.get("answer"), one.get("arguments")
            if answer not in ("yes", "always"):
                decisions.append(question.no(str(one.get("reason") or "")))
                continue
            if arguments is not None:
                problem = await question.problem(str(arguments))
                if problem is not None:
                    raise UsageError(f"That doesn't fit: {problem}", "The arguments are unchanged.")
            decisions.append(
                question.yes(always=answer == "always", arguments=None if arguments is None else str(arguments))
            )
        if not answers.done():
            answers.set_result(decisions)


def _asked(question: Question) -> dict[str, Any]:
    return {
        "call_id": question.call.call_id,
        "name": question.tool.name,
        "about": question.tool.description,
        "source": question.source,
        "arguments": question.arguments,
        "may_always": question.may_always,
    }
