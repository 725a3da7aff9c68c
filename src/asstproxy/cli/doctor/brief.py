"""`asst doctor` in a few rows: what is wrong with what to do about it, then what is well. `-v` prints every finding instead."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence

from ...text.figures import count_of
from .finding import MARKS, Finding, Status

__all__ = ["brief"]

_LEAST_NAME, _MOST_NAME = 10, 24
_PAIR = 43
"""The column in which the second of two short rows begins."""
_OPTIONAL = 48
"""Characters of the names of optional packages."""

_Row = tuple[Status, str, str]
"""The status, what it is about, and what there is to say."""


def brief(findings: Sequence[Finding], width: int, *, words: bool) -> Iterator[tuple[Status | None, str]]:
    """The rows in `width` columns, each with the status of its mark. `words` instead of marks."""
    yield None, " · ".join(one.short for one in findings if one.group == "versions" and one.short)
    wrong = [one for status in ("broken", "warning") for one in findings if one.status == status]
    well = [*_profiles(findings), *_others(findings)]
    names = [one.about or one.what for one in wrong] + [name for _, name, _ in well]
    column = min(max(_LEAST_NAME, *map(len, names)), _MOST_NAME) + 1
    for one in wrong:
        yield from _row((one.status, one.about or one.what, one.short or one.text), column, width, words=words)
        if one.hint:
            yield from ((None, line) for line in _wrapped(one.hint, _indent(column, words=words), width))
    yield from _well(well, column, width, words=words)
    counts = Counter(one.status for one in wrong)
    problems = [
        count_of(number, word)
        for number, word in ((counts["broken"], "problem"), (counts["warning"], "warning"))
        if number
    ]
    yield None, f"{', '.join(problems) or 'No problems'} · to report a bug: asst doctor -v"


def _profiles(findings: Sequence[Finding]) -> Iterator[_Row]:
    """A row for each profile that can be asked: where, and with which key."""
    bad = {one.about or one.what for one in findings if one.status in ("broken", "warning")}
    names = dict.fromkeys(one.what for one in findings if one.group in ("profiles", "servers") and one.is_profile)
    for name in names:
        if name in bad:
            continue
        own = [one for one in findings if one.status == "ok" and name in (one.about, one.what)]
        facts = [one.short for group in ("servers", "keys") for one in own if one.group == group]
        yield "ok", name, "; ".join(facts) or "; ".join(one.short or one.text for one in own)


def _others(findings: Sequence[Finding]) -> Iterator[_Row]:
    """Keys that no profile needs yet, the folders, the terminal, and what is optional and not installed."""
    unused = [one.what for one in findings if one.group == "keys" and one.status == "ok" and not one.about]
    if unused:
        yield "ok", "keys", f"{', '.join(unused)}: no profile uses {'it' if len(unused) == 1 else 'them'}"
    if all(one.status == "ok" for one in findings if one.group == "folders"):
        yield "ok", "folders", "private and writable"
    terminal = [one for one in findings if one.group == "terminal"]
    if all(one.status == "ok" for one in terminal):
        yield "ok", "terminal", ", ".join(one.short for one in terminal if one.short)
    absent = [one.what for one in findings if one.group == "extras" and one.status == "absent"]
    if absent:
        shown = absent
        while len(", ".join(shown)) > _OPTIONAL:
            shown = shown[:-1]
        more = f" and {len(absent) - len(shown)} more" if len(shown) < len(absent) else ""
        yield "absent", "optional", f"{', '.join(shown)}{more}: not installed, not needed"


def _well(rows: Sequence[_Row], column: int, width: int, *, words: bool) -> Iterator[tuple[Status | None, str]]:
    """Folders and terminal share a row, if they fit."""
    rest = list(rows)
    while rest:
        row = rest.pop(0)
        (first, *more) = list(_row(row, column, width, words=words))
        if row[1] == "folders" and rest and rest[0][1] == "terminal" and not more and len(first[1]) < _PAIR:
            (second, *second_more) = list(_row(rest[0], _LEAST_NAME, width - _PAIR, words=words))
            if not second_more and _PAIR + len(second[1]) <= width:
                rest.pop(0)
                first = (first[0], f"{first[1]:<{_PAIR}}{second[1]}")
        yield first
        yield from more


def _row(row: _Row, column: int, width: int, *, words: bool) -> Iterator[tuple[Status | None, str]]:
    status, name, text = row
    mark = MARKS[status].word if words else MARKS[status].mark
    indent = _indent(column, words=words)
    lead = f"{mark:<{indent - column}}{name:<{column}}"
    first, *more = _wrapped(text, indent, width)
    if len(lead) > indent and len(lead) + 1 + len(first.lstrip()) > width:  # the name alone fills the row
        yield status, lead
        yield from ((None, line) for line in (first, *more))
        return
    yield status, f"{lead}{' ' if len(name) >= column else ''}{first.lstrip()}".rstrip()
    yield from ((None, line) for line in more)


def _indent(column: int, *, words: bool) -> int:
    return column + (8 if words else 2)


def _wrapped(text: str, indent: int, width: int) -> list[str]:
    """The lines, broken between words only, so that a path or a command can be copied."""
    space = " " * indent
    return textwrap.wrap(
        text,
        max(width, indent + 20),
        initial_indent=space,
        subsequent_indent=space,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [space]
