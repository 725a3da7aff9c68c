"""YAML that a person wrote, or that came from elsewhere: every value has its place, nothing is constructed but plain data.

PyYAML parses it; this module turns its nodes into values itself, for three reasons. Errors name the line and the column. `no`,
`on` and `1_000` stay text, as in YAML 1.2. And an alias can't blow up: what it repeats is counted each time.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ..core.errors import UsageError
from .toml import MAX_DEPTH

__all__ = ["MAX_VALUES", "Node", "at", "is_more_than_text", "read_yaml"]

MAX_VALUES = 10_000
"""In one document, with what aliases repeat."""

_CORE: dict[str, tuple[re.Pattern[str], str]] = {
    "null": (re.compile(r"~|null|Null|NULL|"), "~nN"),
    "bool": (re.compile(r"true|True|TRUE|false|False|FALSE"), "tTfF"),
    "int": (re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+"), "-+0123456789"),
    "float": (
        re.compile(
            r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
        ),
        "-+.0123456789",
    ),
}
"""What a plain scalar is in YAML 1.2 (core schema), with the characters that it may begin with."""


@dataclass(frozen=True, slots=True)
class Node:
    """A value with its place: lines and columns count from 1.

    `value` is text, a number, a bool, None, a list of nodes, or a dict of nodes; `text` is a scalar as it was written. `keys`
    are the places of a dict's keys.
    """

    value: Any
    line: int
    column: int
    text: str = ""
    keys: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def plain(self) -> Any:
        """The value without places, as `json` would have it."""
        if isinstance(self.value, dict):
            return {key: node.plain for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain for node in self.value]
        return self.value


def at(path: Path, line: int, column: int) -> str:
    """A place in a file, as the beginning of a message."""
    return f"{path}, line {line}, column {column}"


def is_more_than_text(text: str) -> bool:
    """Whether a text, written without quotes, would be read as something else: `0E0` as a number."""
    return any(pattern.fullmatch(text) for pattern, _ in _CORE.values())


def read_yaml(text: str, path: Path, first_line: int = 1) -> Node:
    """The one document in this text, which begins in that line of the file.

    Raises:
        UsageError: it isn't YAML, has tags, repeats a key, or is too large; the message has the line and the column.
    """
    loader = _loader(text, path, first_line)
    loader.yaml_implicit_resolvers = {}
    for name, (pattern, first) in _CORE.items():
        for character in (*first, *([""] if name == "null" else [])):
            resolvers = loader.yaml_implicit_resolvers.setdefault(character, [])
            resolvers.append((f"tag:yaml.org,2002:{name}", re.compile(f"(?:{pattern.pattern})\\Z")))
    _limit(loader, path)
    builder = _Builder(path, first_line)
    try:
        root = loader.get_single_node()
        return builder.node(root, 0) if root is not None else Node(None, first_line, 1)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line, mark.column) if mark else (0, 0)
        what = error.problem or error.context or "it isn't YAML"
        raise UsageError(f"{at(path, first_line + line, column + 1)}: {what}.", "Fix the file.") from None
    except RecursionError:
        raise UsageError(f"{path} is nested too deeply: more than {MAX_DEPTH} levels.", "Fix the file.") from None
    finally:
        loader.dispose()


def _loader(text: str, path: Path, first_line: int) -> Any:
    try:
        return yaml.SafeLoader(text)
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        line, column = first_line + before.count("\n"), len(before) - before.rfind("\n")
        raise UsageError(
            f"{at(path, line, column)}: the character U+{ord(text[error.position]):04X} can't stand in YAML.",
            'Write it as an escape in "double quotes".',
        ) from None


def _limit(loader: Any, path: Path) -> None:
    """Let the parser stop as soon as there is too much: a megabyte of brackets takes it half a minute."""
    take, count, depth = loader.get_event, 0, 0

    def limited() -> Any:
        nonlocal count, depth
        event = take()
        count += 1
        if count > 3 * MAX_VALUES:  # a collection has two events
            raise _too_many(path)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise RecursionError
        return event

    loader.get_event = limited


def _too_many(path: Path) -> UsageError:
    return UsageError(f"{path} has more than {MAX_VALUES:,} values.", "Use fewer, or fewer aliases.")


class _Builder:
    """Turns PyYAML's nodes into ours, and counts them."""

    def __init__(self, path: Path, first_line: int) -> None:
        self._path, self._first_line, self._count = path, first_line, 0

    def node(self, node: Any, depth: int) -> Node:
        line, column = self._place(node)
        self._count += 1
        if self._count > MAX_VALUES:
            raise _too_many(self._path)
        if depth > MAX_DEPTH:
            raise RecursionError
        kind = node.tag.removeprefix("tag:yaml.org,2002:")
        if isinstance(node, yaml.MappingNode) and kind == "map":
            return self._mapping(node, line, column, depth)
        if isinstance(node, yaml.SequenceNode) and kind == "seq":
            return Node([self.node(one, depth + 1) for one in node.value], line, column)
        if isinstance(node, yaml.ScalarNode) and kind in (*_CORE, "str"):
            return Node(self._scalar(node.value, kind, line, column), line, column, node.value)
        raise UsageError(f"{at(self._path, line, column)}: the tag {node.tag} isn't allowed.", "Leave it out.")

    def _mapping(self, node: Any, line: int, column: int, depth: int) -> Node:
        values: dict[str, Node] = {}
        keys: dict[str, tuple[int, int]] = {}
        for key, value in node.value:
            place = self._place(key)
            if not isinstance(key, yaml.ScalarNode):
                raise UsageError(f"{at(self._path, *place)}: a key must be text.", "Fix the file.")
            if key.value in values:
                raise UsageError(f"{at(self._path, *place)}: {key.value} is there twice.", "Remove one of them.")
            values[key.value], keys[key.value] = self.node(value, depth + 1), place
        return Node(values, line, column, keys=keys)

    def _scalar(self, text: str, kind: str, line: int, column: int) -> Any:
        try:
            match kind:
                case "str":
                    return text
                case "null":
                    return None
                case "bool":
                    return text.lower() == "true"
                case "int":
                    return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
                case "float" if math.isfinite(number := float(text.replace(".inf", "inf").replace(".nan", "nan"))):
                    return number
        except ValueError:  # `!!int x`, `.NaN`, or more digits than Python reads
            pass
        raise UsageError(f"{at(self._path, line, column)}: {text[:40]} isn't a number that JSON has.", "Change it.")

    def _place(self, node: Any) -> tuple[int, int]:
        return self._first_line + node.start_mark.line, node.start_mark.column + 1
