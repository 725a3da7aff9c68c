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

_NARROW = 60
"""Columns below which the sources of several calls get rows of their own."""
_NAME = 24
"""Columns of an argument's name at most; a longer one is folded."""


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
        parts = list(_calls(questions, narrow=console.width < _NARROW))
    if is_plain(console):
        return Group(Text(f"{title}:"), *parts)
    heading = Text(title, style="asst.system", no_wrap=True, overflow="ellipsis")
    return Panel(Group(*parts), title=heading, title_align="left", border_style="asst.system", box=box.ROUNDED)


def _calls(questions: Sequence[Question], *, narrow: bool) -> Iterator[Table]:
    digits = len(str(len(questions)))
    for number, question in enumerate(questions, 1):
        source = call_line(question.source)
        row = Table.grid(padding=(0, 2, 0, 0), expand=True)
        row.add_column(width=digits, no_wrap=True)
        row.add_column(max_width=_NAME, overflow="fold")
        row.add_column(ratio=1, overflow="fold")
        arguments = argument_table(question.call.arguments)
        cells: list[RenderableType] = [str(number).rjust(digits), Text(call_line(question.tool.name), style="bold")]
        if narrow or not source:
            row.add_row(*cells, Group(arguments, Text(source, style="dim")) if source else arguments)
        else:
            row.add_column(max_width=_NAME, overflow="fold", justify="right")
            row.add_row(*cells, arguments, Text(source, style="dim"))
        yield row


def _origin(question: Question) -> Text | None:
    """What the tool is for, where it comes from, and what it may touch."""
    description = call_line(question.tool.description)
    source = call_line(question.source)
    text = Text(overflow="fold")
    if description:
        text.append(description if description.endswith((".", "!", "?", "…")) else f"{description}.")
    if source:
        may = "" if question.tool.source.startswith("mcp:") else ": runs as you, with your files and network"
        text.append(f"{' ' if text else ''}From {source}{may}.", style="dim")
    return text or None


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


def choices(questions: Sequence[Question], *, may_always: bool, width: int) -> Iterator[Text]:
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
    first = max(len(word) for word, _ in rows)
    lines = [
        Text.assemble("  ", (word.ljust(first), "bold"), f"  {meaning}", overflow="fold") for word, meaning in rows
    ]
    room = max(line.cell_len for line in lines) + 2
    if len(questions) == 1 or 2 * room > width:
        yield from lines
        return
    *pairs, last = lines
    for at in range(0, len(pairs), 2):
        left, right = pairs[at], pairs[at + 1] if at + 1 < len(pairs) else Text()
        left.pad_right(room - left.cell_len if right else 0)
        yield Text.assemble(left, right)
    yield last
