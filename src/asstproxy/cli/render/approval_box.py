"""The question whether tools may run, as it is drawn: what would run, with which arguments, where it comes from.

Everything in it is literal text, and whole: a person who decides must see what there is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ...core.errors import ToolError
from ...core.invisible import escape_invisible
from ...text.call_text import call_line
from ...text.figures import count_of
from ...tools import Question
from ...tools.arguments import parse
from .theme import is_plain

__all__ = ["argument_table", "changed_arguments", "choices", "question_box"]

_NAME = 24
"""Columns of an argument's name at most; a longer one is folded."""
_PAIRS = 80
"""Columns from which two answers stand in a row."""


def question_box(console: Console, questions: Sequence[Question]) -> RenderableType:
    """The calls in a frame; without one on a dumb terminal and for a screen reader."""
    if len(questions) == 1:
        (question,) = questions
        title = f"{call_line(question.tool.name)} wants to run"
        parts: list[RenderableType] = [argument_table(question.call.arguments)]
        if origin := _origin(question):
            parts += [Text(), origin]
    else:
        title = f"{count_of(len(questions), 'tool')} want to run"
        parts = list(_calls(questions))
    if is_plain(console):
        return Group(Text(f"{title}:"), *parts)
    heading = Text(title, style="asst.system", no_wrap=True, overflow="ellipsis")
    return Panel(Group(*parts), title=heading, title_align="left", border_style="asst.system", box=box.ROUNDED)


def _calls(questions: Sequence[Question]) -> Iterator[RenderableType]:
    """A row for each call; where they come from stands below all of them, or in each row if that differs."""
    same = len({_place(question) for question in questions}) == 1
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(justify="right", no_wrap=True)
    table.add_column(max_width=_NAME, overflow="fold", style="bold")
    table.add_column(overflow="fold")
    for number, question in enumerate(questions, 1):
        parts = [argument_table(question.call.arguments)]
        if not same and (source := _source(question)):
            parts.append(source)
        table.add_row(str(number), Text(call_line(question.tool.name)), Group(*parts))
    yield table
    if same and (source := _source(questions[0])):
        yield Text()
        yield source


def _origin(question: Question) -> Text | None:
    """What the tool is for, and where it comes from."""
    description = call_line(question.tool.description)
    text = Text(overflow="fold")
    if description:
        text.append(description if description.endswith((".", "!", "?", "…")) else f"{description}.")
    if source := _source(question):
        text.append(" " if text else "").append_text(source)
    return text or None


def _source(question: Question) -> Text | None:
    """Where the tool comes from, and what it may touch."""
    source = call_line(question.source)
    if not source:
        return None
    if question.tool.source.startswith("mcp:"):
        claim = ". It says: reads only" if question.tool.read_only else ""
        return Text(f"From {source}{claim}.", style="dim", overflow="fold")
    return Text(f"From {_place(question)}: runs as you, with your files and network.", style="dim", overflow="fold")


def _place(question: Question) -> str:
    """The source without the function in it, where that is called as the tool is."""
    return call_line(question.source.removesuffix(f":{question.tool.name}"))


# ---- arguments ---------------------------------------------------------------------------------------------------------


def argument_table(arguments: str) -> RenderableType:
    """Each argument with its value, as JSON; the lines of a long text stay lines."""
    values = _values(arguments)
    if values is None:
        return _literal(arguments)
    if not values:
        return Text("no arguments", style="dim")
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(max_width=_NAME, overflow="fold", style="bold")
    table.add_column(overflow="fold")
    for name, value in values.items():
        table.add_row(_literal(_inside(name)), value_text(value))
    return table


def value_text(value: Any) -> Text:
    """A value as JSON, whatever is in it; a text of several lines without its quotes, line by line."""
    if isinstance(value, str) and "\n" in value:
        return Text("\n").join(_literal(_inside(line)) for line in value.split("\n"))
    return _literal(json.dumps(value, ensure_ascii=False))


def _inside(text: str) -> str:
    """A text as JSON has it between quotes, but for quotes, which need no escape there."""
    return json.dumps(text, ensure_ascii=False)[1:-1].replace('\\"', '"')


def _literal(text: str) -> Text:
    """The text; a character that nobody would see is its escape, in red."""
    literal = Text(overflow="fold")
    run = ""
    for character in text:
        escaped = escape_invisible(character)
        if escaped == character:
            run += character
            continue
        literal.append(run)
        literal.append(escaped, style="asst.bad")
        run = ""
    return literal.append(run)


def _values(arguments: str) -> dict[str, Any] | None:
    try:
        values = parse(arguments)
    except ToolError:
        return None
    return values if isinstance(values, dict) else None


def changed_arguments(before: str, after: str) -> RenderableType:
    """Edited arguments next to what they were: `-` and `+` where they differ."""
    old, new = _values(before) or {}, _values(after) or {}
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(width=3)
    table.add_column(max_width=_NAME, overflow="fold", style="bold")
    table.add_column(overflow="fold")
    for name in [*old, *(name for name in new if name not in old)]:
        if name in old and name in new and old[name] == new[name]:
            table.add_row("", _literal(_inside(name)), value_text(new[name]))
            continue
        for mark, values, style in (("  -", old, "asst.bad"), ("  +", new, "asst.good")):
            if name in values:
                table.add_row(Text(mark), _literal(_inside(name)), value_text(values[name]), style=style)
    return table


# ---- the choices -------------------------------------------------------------------------------------------------------


def choices(questions: Sequence[Question], *, may_always: bool, width: int) -> RenderableType:
    """A row for each answer; two to a row for several calls, where there is room."""
    if len(questions) == 1:
        name = call_line(questions[0].tool.name)
        rows = [("yes", "run it once")]
        rows += [("always", f"run it, and don't ask again for {name} in this session")] if may_always else []
        rows += [("edit", "change the arguments first"), ("no", "don't run it; you can add why: no, wrong file")]
    else:
        rows = [("yes", f"run all {len(questions)}")]
        rows += [("always", "and don't ask again")] if may_always else []
        rows += [("only 1 2", "run these, refuse others"), ("edit 1", "change one first")]
        rows += [("no", "run none; you can add why")]
    pairs = 2 if len(questions) > 1 and width >= _PAIRS else 1
    table = Table.grid(padding=(0, 2))
    for _ in range(pairs):
        table.add_column(no_wrap=True, style="bold")
        table.add_column(overflow="fold")
    for at in range(0, len(rows), pairs):
        table.add_row(*(cell for row in rows[at : at + pairs] for cell in row))
    return table
