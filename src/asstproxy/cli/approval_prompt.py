"""The question whether tools may run, asked in the terminal."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from typing import TextIO, cast

from msgspec import structs
from prompt_toolkit import PromptSession
from prompt_toolkit.input.typeahead import clear_typeahead
from prompt_toolkit.output import create_output
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from ..core.events import Decision
from ..text.call_text import call_line, call_text, output_line
from ..tools import Question
from .event_loop import default_suspend
from .render.theme import with_marks_for

__all__ = ["ApprovalPrompt"]

_DECLINED_ALL = "The user declined this call and the ones after it."
_INDENT = 9
"""Columns: the width of `System ▸ `."""
_DEAF = 0.3
"""Seconds after the question appeared in which nothing counts: who types at that moment has not read it."""
_NO = re.compile(r"(?:n|no)(?:[\s,:.]+(.*))?", re.IGNORECASE | re.DOTALL)
_ONLY = re.compile(r"only((?:[\s,]+\d+)+)", re.IGNORECASE)
_EDIT = re.compile(r"(?:e|edit)(?:\s+(\d+))?", re.IGNORECASE)


class _DeclinedAllError(Exception):
    """Ctrl-D instead of an answer."""


class ApprovalPrompt:
    """Asks once about all calls of a reply. Ctrl-D refuses them, Ctrl-C cancels the exchange.

    Only `yes`, `always`, `edit` and `no` (or their first letters) are answers, and for several calls `only 1 2` and `edit 3`;
    anything else is asked again. `pause` clears the live view from the screen meanwhile.
    """

    def __init__(self, console: Console, pause: Callable[[], AbstractContextManager[None]]) -> None:
        self._console, self._pause = console, pause
        self._prompt: PromptSession[str] = PromptSession(output=create_output(cast("TextIO", console.file)))

    async def __call__(self, questions: Sequence[Question]) -> Sequence[Decision]:
        """One decision for each question."""
        with self._pause():
            self._console.print()
            try:
                return await self._ask(questions)
            except _DeclinedAllError:
                return [question.no(_DECLINED_ALL) for question in questions]

    async def _ask(self, questions: Sequence[Question]) -> list[Decision]:
        edited: dict[str, str] = {}  # arguments by call_id
        self._show(questions, edited)
        choices = _choices(questions)
        while True:
            answer = await self._read(f"Allow? {' · '.join(choices)} (and why) › ", fresh=True)
            match answer.lower():
                case "y" | "yes":
                    return [question.yes(arguments=edited.get(question.call.call_id)) for question in questions]
                case "a" | "always" if "always" in choices:
                    return [
                        question.yes(always=True, arguments=edited.get(question.call.call_id)) for question in questions
                    ]
            if found := _NO.fullmatch(answer):
                return [question.no((found[1] or "").strip()) for question in questions]
            if (found := _ONLY.fullmatch(answer)) and len(questions) > 1:
                chosen = {int(number) for number in re.findall(r"\d+", found[1])}
                if chosen <= set(range(1, len(questions) + 1)):
                    return [
                        question.yes(arguments=edited.get(question.call.call_id)) if number in chosen else question.no()
                        for number, question in enumerate(questions, 1)
                    ]
            if (found := _EDIT.fullmatch(answer)) and (found[1] or len(questions) == 1):
                number = int(found[1] or 1)
                if 1 <= number <= len(questions):
                    await self._edit(questions[number - 1], edited)
                    self._show(questions, edited)
                    continue
            self._print_indented(f"Answer {', '.join(choices[:-1])} or no.", "dim")

    def _show(self, questions: Sequence[Question], edited: dict[str, str]) -> None:
        for number, question in enumerate(questions, 1):
            name = call_line(question.tool.name)
            place = f" ({number} of {len(questions)})" if len(questions) > 1 else ""
            self._console.print(
                Text.assemble(("System ", "asst.system"), "▸ ", (name, "bold"), " wants to run", (place, "dim"))
            )
            if question.tool.description:
                self._print_indented(call_line(question.tool.description), "dim")
            if question.source:
                self._print_indented(f"From {call_line(question.source)}", "dim")
            self._print_indented(call_text(_as_edited(question, edited).arguments))

    async def _edit(self, question: Question, edited: dict[str, str]) -> None:
        """Change the arguments; if the tool would not take them, they stay as they were, and are shown again."""
        try:
            arguments = await self._read("Arguments › ", default=_as_edited(question, edited).arguments_line)
        except _DeclinedAllError:
            return
        problem = await question.problem(arguments)
        if problem is None:
            edited[question.call.call_id] = arguments
        else:
            self._print_indented(f"That doesn't fit: {output_line(problem)} The arguments are unchanged:", "asst.error")

    def _print_indented(self, text: str, style: str = "") -> None:
        self._console.print(Padding(Text(text, style=style), (0, 0, 0, _INDENT)))

    async def _read(self, prompt: str, default: str = "", *, fresh: bool = False) -> str:
        """One line; with `fresh`, what was typed before and in the first moment is dropped."""
        if fresh:
            await asyncio.sleep(_DEAF)
            self._drop_pending_input()
        try:
            with default_suspend():
                line = await self._prompt.prompt_async(
                    " " * _INDENT + with_marks_for(self._console.file, prompt),
                    default=default,
                    handle_sigint=False,
                    enable_suspend=True,
                )
        except EOFError:
            raise _DeclinedAllError from None
        except KeyboardInterrupt:  # at a prompt, Ctrl-C is a key: it means what the signal means elsewhere
            signal.raise_signal(signal.SIGINT)
            await asyncio.Event().wait()  # until the exchange is cancelled
            raise
        return line.strip()

    def _drop_pending_input(self) -> None:
        source = self._prompt.app.input
        clear_typeahead(source)
        if sys.platform != "win32":
            import termios

            with suppress(OSError, ValueError, NotImplementedError, termios.error):  # not a terminal
                termios.tcflush(source.fileno(), termios.TCIFLUSH)


def _as_edited(question: Question, edited: dict[str, str]) -> Question:
    """The question about the arguments that would be run."""
    call = question.call
    return replace(question, call=structs.replace(call, arguments=edited.get(call.call_id, call.arguments)))


def _choices(questions: Sequence[Question]) -> list[str]:
    always = ["always"] if all(question.may_always for question in questions) else []
    if len(questions) == 1:
        return ["yes", *always, "edit", "no"]
    return ["yes", *always, "only 1 2", "edit 1", "no"]
