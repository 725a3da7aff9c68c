"""`/states`, `/thoughts` and `/call`: more about the last turn than its drawing says."""

from __future__ import annotations

from rich.padding import Padding
from rich.text import Text

from ...core.errors import UsageError
from ...text.call_text import approval_words, call_line, output_text, refusal_words
from ...text.figures import duration
from ...text.safe_text import clean
from ..render.approval_box import argument_table
from ..render.reasoning import thought_lines
from ..render.timeline import StatesPath
from .chat_protocol import ChatCommands
from .last_turn import KeptCall

__all__ = ["call", "states", "thoughts"]

_NO_TURN = "No turn yet."


async def states(chat: ChatCommands, argument: str) -> None:
    """Print the path of the last turn; `on` and `off` print it after every turn, or not.

    Raises:
        UsageError: no turn yet, or the argument is something else.
    """
    detail = chat.screen
    if argument:
        detail.states = _switch("states", argument)
        chat.say(f"States after every turn: {argument}.")
        return
    if detail.last.timeline is None:
        raise UsageError(_NO_TURN)
    chat.console.print(StatesPath(detail.last.timeline, detail.last.output_tokens))


async def thoughts(chat: ChatCommands, argument: str) -> None:
    """Print the reasoning of the last turn; `on` and `off` print it while it comes, or not.

    Raises:
        UsageError: there is none, or the argument is something else.
    """
    detail = chat.screen
    if argument:
        detail.thoughts = _switch("thoughts", argument)
        chat.say(f"Whole thoughts: {argument}.")
        return
    last = detail.last
    if not last.thoughts:
        raise UsageError(
            _NO_TURN if last.timeline is None else "The last turn has no thoughts that its provider shows."
        )
    for number, thought in enumerate(last.thoughts, 1):
        tokens = last.reasoning_tokens if len(last.thoughts) == number == 1 else 0
        for line in thought_lines(thought.seconds, clean(thought.text).strip() or "…", tokens=tokens):
            chat.console.print(line)


async def call(chat: ChatCommands, number: str) -> None:
    """Print a call of the last turn whole: its arguments, its output, what it printed. Without a number, the last one.

    Raises:
        UsageError: the turn has no such call.
    """
    calls = chat.screen.last.calls
    if not calls:
        raise UsageError("The last turn called no tool.")
    if number and not (number.isdecimal() and 1 <= int(number) <= len(calls)):
        raise UsageError(f"No call {number} in the last turn.", f"It has {len(calls)}: /call 1")
    at = int(number) if number else len(calls)
    _print(chat, calls[at - 1], f"{at} of {len(calls)}" if len(calls) > 1 else "")


def _print(chat: ChatCommands, one: KeptCall, place: str) -> None:
    facts = [
        duration(one.seconds) if one.seconds is not None else "",
        refusal_words(one.refused_by, one.reason) if one.refused_by else approval_words(one.approved_by),
        f"call {place}" if place else "",
    ]
    print_ = chat.console.print
    head = Text.assemble(("System", "asst.system"), (" ▸ ", "dim"), (call_line(one.name), "bold"))
    print_(head.append("".join(f" · {fact}" for fact in facts if fact), style="dim"))
    print_(Padding(argument_table(one.arguments), (0, 0, 0, 2)))
    if one.error is not None and not one.refused_by:
        print_(Text("✗ failed", style="asst.bad"))
        print_(Text(output_text(one.error), overflow="fold"))
    elif not one.refused_by and one.seconds is not None:
        print_(Text("→ output", style="asst.good"))
        print_(Text(output_text(one.output), overflow="fold"))
    if one.printed:
        print_(Text("printed", style="dim"))
        print_(Text(output_text(one.printed).rstrip("\n"), overflow="fold"))


def _switch(name: str, argument: str) -> bool:
    if argument not in ("on", "off"):
        raise UsageError(f"/{name} takes on or off, or nothing.")
    return argument == "on"
