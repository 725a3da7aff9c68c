"""The question whether a tool may run, asked in the terminal."""

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

__all__ = ["ApprovalPrompt"]

_DECLINED_ALL = "The user declined this call and the ones after it."
_INDENT = 9
"""Columns: the width of `System ▸ `."""


class _DeclinedAllError(Exception):
    """Ctrl-D instead of an answer."""


class ApprovalPrompt:
    """Asks about one call after the other. Ctrl-D refuses this call and the ones after it, Ctrl-C cancels the exchange.

    `pause` clears the live view from the screen meanwhile.
    """

    def __init__(self, console: Console, pause: Callable[[], AbstractContextManager[None]]) -> None:
        self._console, self._pause = console, pause
        self._prompt: PromptSession[str] = PromptSession(output=create_output(cast("TextIO", console.file)))

    async def __call__(self, questions: Sequence[Question]) -> Sequence[Decision]:
        """One decision for each question."""
        decisions: list[Decision] = []
        always: set[str] = set()  # counts for the other questions, too
        with self._pause():
            self._console.print()
            for number, question in enumerate(questions, 1):
                if question.tool.name in always:
                    decisions.append(question.yes(always=True))
                    continue
                place = f" ({number} of {len(questions)})" if len(questions) > 1 else ""
                try:
                    decisions.append(await self._ask(question, place))
                except _DeclinedAllError:
                    return [*decisions, *(other.no(_DECLINED_ALL) for other in questions[number - 1 :])]
                if decisions[-1].always:
                    always.add(question.tool.name)
        return decisions

    async def _ask(self, question: Question, place: str) -> Decision:
        name = clean_line(question.tool.name)
        self._console.print(
            Text.assemble(("System ", "asst.system"), "▸ ", (name, "bold"), " wants to run", (place, "dim"))
        )
        if question.tool.description:
            self._print_indented(clean_line(question.tool.description), "dim")
        self._print_indented(clean(question.arguments))
        answers = ["yes", *(["always"] if question.may_always else []), "edit", "no"]
        while True:
            answer = await self._read(f"Allow? {' · '.join(answers)} (and why) › ")
            word, _, rest = answer.partition(" ")
            match word.lower().rstrip(",.:"):
                case "y" | "yes":
                    return question.yes()
                case "a" | "always" if question.may_always:
                    return question.yes(always=True)
                case "n" | "no":
                    return question.no(rest.strip(" ,"))
                case "e" | "edit":
                    edited = await self._edit(question)
                    if edited is not None:
                        return question.yes(arguments=edited)
                case _:
                    self._print_indented(f"Answer {', '.join(answers[:-1])} or no.", "dim")

    async def _edit(self, question: Question) -> str | None:
        """The arguments as the user changed them; None if the tool would not take them."""
        try:
            arguments = await self._read("Arguments › ", default=question.arguments_line)
        except _DeclinedAllError:
            return None
        problem = await question.problem(arguments)
        if problem is None:
            return arguments
        self._print_indented(clean_line(problem), "asst.error")
        return None

    def _print_indented(self, text: str, style: str = "") -> None:
        self._console.print(Padding(Text(text, style=style), (0, 0, 0, _INDENT)))

    async def _read(self, prompt: str, default: str = "") -> str:
        try:
            line = await self._prompt.prompt_async(" " * _INDENT + prompt, default=default, handle_sigint=False)
        except EOFError:
            raise _DeclinedAllError from None
        except KeyboardInterrupt:  # at a prompt, Ctrl-C is a key: it means what the signal means elsewhere
            signal.raise_signal(signal.SIGINT)
            await asyncio.Event().wait()  # until the exchange is cancelled
            raise
        return line.strip()
