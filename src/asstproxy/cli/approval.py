"""The question whether a tool may run, asked in the chat."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TextIO, cast

from prompt_toolkit import PromptSession
from prompt_toolkit.output import create_output
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from ..core.events import Decision
from ..tools import Question
from .render.safe_text import clean, clean_line

__all__ = ["PersonApprover"]

STOPPED = "They do not want to be asked about any more of them now."


class _StoppedError(Exception):
    """Ctrl-D instead of an answer."""


class PersonApprover:
    """Asks about one call after another; Ctrl-D refuses this one and all that follow it, Ctrl-C cancels the exchange.

    `pause` keeps the live view off the screen meanwhile.
    """

    def __init__(self, console: Console, pause: Callable[[], AbstractContextManager[None]]) -> None:
        self._console, self._pause = console, pause
        self._prompt: PromptSession[str] = PromptSession(output=create_output(cast("TextIO", console.file)))

    async def __call__(self, questions: Sequence[Question]) -> Sequence[Decision]:
        """One decision for each question."""
        decisions: list[Decision] = []
        always: set[str] = set()  # holds for the rest of these questions, too
        with self._pause():
            for number, question in enumerate(questions, 1):
                if question.tool.name in always:
                    decisions.append(question.yes(always=True))
                    continue
                place = f" ({number} of {len(questions)})" if len(questions) > 1 else ""
                try:
                    decisions.append(await self._ask(question, place))
                except _StoppedError:
                    return [*decisions, *(left.no(STOPPED) for left in questions[number - 1 :])]
                if decisions[-1].always:
                    always.add(question.tool.name)
        return decisions

    async def _ask(self, question: Question, place: str) -> Decision:
        name = clean_line(question.tool.name)
        wants = ("System ", "asst.system"), "▸ the assistant wants to call ", (name, "bold"), (place, "dim")
        self._console.print(Text.assemble(*wants))
        if question.tool.description:
            self._console.print(Padding(Text(clean_line(question.tool.description), style="dim"), (0, 0, 0, 9)))
        self._console.print(Padding(Text(clean(question.arguments)), (0, 0, 0, 9)))
        always = " / a(lways in this session)" if question.may_always else ""
        while True:
            answer = await self._line(f"         May it? y(es) / n(o, and why){always} / e(dit) › ")
            word, _, rest = answer.partition(" ")
            match word.lower().rstrip(",.:"):
                case "y" | "yes":
                    return question.yes()
                case "a" | "always" if question.may_always:
                    return question.yes(always=True)
                case "n" | "no":
                    return question.no(rest.strip(" ,"))
                case "e" | "edit":
                    edited = await self._edited(question)
                    if edited is not None:
                        return question.yes(arguments=edited)
                case _:
                    self._console.print(Text("         Please say y, n, a or e.", style="dim"))

    async def _edited(self, question: Question) -> str | None:
        try:
            arguments = await self._line("         Arguments › ", default=question.arguments_line)
        except _StoppedError:
            return None
        problem = await question.problem(arguments)
        if problem is None:
            return arguments
        self._console.print(Text(f"         {clean_line(problem)}", style="asst.error"))
        return None

    async def _line(self, question: str, default: str = "") -> str:
        try:
            return (await self._prompt.prompt_async(question, default=default, handle_sigint=False)).strip()
        except EOFError:
            raise _StoppedError from None
        except KeyboardInterrupt:  # a key, while there is a prompt: it means what the signal means elsewhere
            signal.raise_signal(signal.SIGINT)
            await asyncio.Event().wait()  # to be cancelled
            raise
