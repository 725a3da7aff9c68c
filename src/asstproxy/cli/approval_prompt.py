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
from prompt_toolkit.application import get_app
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition
from prompt_toolkit.input.typeahead import clear_typeahead
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.output import create_output
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from ..core.events import Decision
from ..text.call_text import call_line, output_line
from ..tools import Question
from .event_loop import default_suspend
from .render.approval_box import argument_table, changed_arguments, choices, question_box
from .render.theme import with_marks_for

__all__ = ["ApprovalPrompt"]

_DECLINED_ALL = "The user declined this call and the ones after it."
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
    anything else is asked again, and Enter in an empty line does nothing. The arrow keys put one of the words into the line.
    `pause` clears the live view from the screen meanwhile.
    """

    def __init__(self, console: Console, pause: Callable[[], AbstractContextManager[None]]) -> None:
        self._console, self._pause = console, pause
        output = create_output(cast("TextIO", console.file))
        self._words: Sequence[str] = ()  # that the arrow keys offer
        self._question: PromptSession[str] = PromptSession(output=output, key_bindings=_keys(lambda: self._words))
        self._editor: PromptSession[str] = PromptSession(output=output)

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
        may_always = all(question.may_always for question in questions)
        several = len(questions) > 1
        words = ["yes", *(["always"] if may_always else []), *(["only 1 2", "edit 1"] if several else ["edit"]), "no"]
        self._console.print(question_box(self._console, questions))
        answers = choices(questions, may_always=may_always, width=self._console.width)
        self._console.print(Padding(answers, (0, 0, 0, 2)))
        asking = "Run them?" if several else "Run it?"
        while True:
            self._words = words
            answer = await self._read(self._question, f"{asking} › ", fresh=True)
            match answer.lower():
                case "y" | "yes":
                    return [question.yes(arguments=edited.get(question.call.call_id)) for question in questions]
                case "a" | "always" if may_always:
                    return [
                        question.yes(always=True, arguments=edited.get(question.call.call_id)) for question in questions
                    ]
            if found := _NO.fullmatch(answer):
                return [question.no((found[1] or "").strip()) for question in questions]
            if (found := _ONLY.fullmatch(answer)) and several:
                chosen = {int(number) for number in re.findall(r"\d+", found[1])}
                if chosen <= set(range(1, len(questions) + 1)):
                    return [
                        question.yes(arguments=edited.get(question.call.call_id)) if number in chosen else question.no()
                        for number, question in enumerate(questions, 1)
                    ]
            if (found := _EDIT.fullmatch(answer)) and (found[1] or not several):
                number = int(found[1] or 1)
                if 1 <= number <= len(questions):
                    await self._edit(questions[number - 1], edited, place=f"{number}  " if several else "")
                    if edited:
                        asking = "Run them like this?" if several else "Run it like this?"
                        self._print_indented(" · ".join(words), "dim")
                    continue
            self._print_indented(f"Answer {', '.join(words[:-1])} or no.", "dim")

    async def _edit(self, question: Question, edited: dict[str, str], *, place: str) -> None:
        """Change the arguments, and show what has changed; those that the tool would not take stay as they were."""
        before = _as_edited(question, edited).arguments_line
        try:
            arguments = await self._read(self._editor, "Arguments › ", default=before)
        except _DeclinedAllError:
            return
        name = call_line(question.tool.name)
        problem = await question.problem(arguments)
        if problem is None:
            edited[question.call.call_id] = arguments
            self._print_indented(f"{place}{name}, with your changes:")
            self._console.print(Padding(changed_arguments(question.arguments_line, arguments), (0, 0, 0, 2)))
            return
        self._print_indented(f"That doesn't fit: {output_line(problem)} The arguments are unchanged:", "asst.error")
        self._console.print(Padding(argument_table(before), (0, 0, 0, 5)))

    def _print_indented(self, text: str, style: str = "") -> None:
        self._console.print(Padding(Text(text, style=style, overflow="fold"), (0, 0, 0, 2)))

    async def _read(self, prompt: PromptSession[str], mark: str, default: str = "", *, fresh: bool = False) -> str:
        """One line; with `fresh`, what was typed before and in the first moment is dropped."""
        if fresh:
            await asyncio.sleep(_DEAF)
            self._drop_pending_input()
        try:
            with default_suspend():
                line = await prompt.prompt_async(
                    with_marks_for(self._console.file, mark),
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
        source = self._question.app.input
        clear_typeahead(source)
        if sys.platform != "win32":
            import termios

            with suppress(OSError, ValueError, NotImplementedError, termios.error):  # not a terminal
                termios.tcflush(source.fileno(), termios.TCIFLUSH)


def _as_edited(question: Question, edited: dict[str, str]) -> Question:
    """The question about the arguments that would be run."""
    call = question.call
    return replace(question, call=structs.replace(call, arguments=edited.get(call.call_id, call.arguments)))


def _keys(words: Callable[[], Sequence[str]]) -> KeyBindings:
    """Enter is an answer only if the line has text; the arrow keys put the next of the words into it."""
    keys = KeyBindings()

    @keys.add("enter", filter=Condition(lambda: not get_app().current_buffer.text.strip()))
    def _(_: KeyPressEvent) -> None:
        pass

    def step(event: KeyPressEvent, by: int) -> None:
        known = list(words())
        text = event.current_buffer.text
        at = known.index(text) + by if text in known else (0 if by > 0 else -1)
        event.current_buffer.document = Document(known[at % len(known)])

    keys.add("down")(lambda event: step(event, 1))
    keys.add("up")(lambda event: step(event, -1))
    return keys
