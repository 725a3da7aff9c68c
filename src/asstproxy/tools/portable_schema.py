"""Names and JSON schemas that every provider accepts, so that one declaration serves them all.

What each refuses, according to their error messages: OpenAI wants `^[a-zA-Z0-9_-]{1,64}$`, at most 1024 characters of description,
an object without alternatives at the top level, and `items` in every array. Gemini wants a letter or an underscore first, accepts
`$ref` only on its own, and doesn't support `exclusiveMinimum`, `const`, `oneOf`, `uniqueItems`, … So a reference is replaced by
its target, a keyword by its plain equivalent, and any other is put into words in the description: the assistant still reads it,
and the arguments are validated against the original in any case.

What a program declares must be right, so an error in it is raised; `foreign_schema` repairs what a server declares.
"""

from __future__ import annotations

import contextlib
import json
import math
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote

from ..core.errors import UsageError

__all__ = [
    "MAX_DESCRIPTION",
    "MAX_NAME",
    "PORTABLE",
    "TYPES",
    "SchemaRewriter",
    "as_object",
    "check_description",
    "check_name",
    "is_json",
    "portable",
]

JSON = dict[str, Any]
MAX_DESCRIPTION = 1024
MAX_NAME = 64
MAX_DEPTH, MAX_NODES = 32, 5000
"""Larger schemas are refused: n definitions that each refer twice to the next become 2ⁿ when they are inlined."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")


def _is_number(value: Any) -> bool:
    return not isinstance(value, bool) and (
        isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))
    )


def is_json(value: Any) -> bool:
    """Whether JSON can represent it: it can't represent NaN and infinity."""
    try:
        json.dumps(value, allow_nan=False)
    except (ValueError, TypeError, RecursionError):
        return False
    return True


TYPES = frozenset(("object", "array", "string", "number", "integer", "boolean", "null"))
PORTABLE: dict[str, Callable[[Any], bool]] = {
    "type": lambda value: (
        value != [] and {str(one) for one in (value if isinstance(value, list) else [value])} <= TYPES
    ),
    "enum": lambda value: isinstance(value, list) and value != [],
    "minItems": lambda value: isinstance(value, int) and value >= 0,
    "maxItems": lambda value: isinstance(value, int) and value >= 0,
    "minimum": _is_number,
    "maximum": _is_number,
    "default": lambda _: True,
}
"""The keywords that every provider supports, and whether a value is valid for them."""
_IN_WORDS = {
    "format": "format",
    "pattern": "pattern",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
    "uniqueItems": "no item twice",
    "minProperties": "at least {} members",
    "maxProperties": "at most {} members",
    "examples": "for example",
}


def check_name(name: str) -> None:
    """Refuse a tool name that a provider would refuse.

    Raises:
        UsageError: with the reason.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"The tool name '{name}' is refused by providers: a name begins with a letter or '_' and has at most 64 "
            "letters (a-z, A-Z), digits, '_' and '-'.",
            'Give the tool another name: @tool(name="…").',
        )


def check_description(name: str, description: str) -> None:
    """Refuse a description that a provider would refuse.

    Raises:
        UsageError: with the reason.
    """
    if len(description) > MAX_DESCRIPTION:
        raise UsageError(
            f"The description of the tool '{name}' has {len(description)} characters; OpenAI accepts {MAX_DESCRIPTION}.",
            'Shorten the docstring, or give a description: @tool(description="…").',
        )


def portable(name: str, schema: JSON) -> JSON:
    """The schema of a tool's parameters with only the keywords that every provider supports.

    Raises:
        UsageError: that isn't possible; the message has the reason.
    """
    return as_object(name, SchemaRewriter(name, schema).node(schema, ()))


def as_object(name: str, result: JSON) -> JSON:
    """The rewritten schema of a tool's parameters, if it is an object.

    Raises:
        UsageError: it isn't.
    """
    if "properties" in result:
        result.setdefault("type", "object")
    if result.get("type") != "object":
        raise UsageError(
            f"The parameters of the tool '{name}' aren't a JSON object, and providers accept nothing else."
        )
    if top := [keyword for keyword in ("anyOf", "enum") if keyword in result]:
        raise UsageError(f"The parameters of the tool '{name}' have '{top[0]}' at the top level, which OpenAI refuses.")
    result.setdefault("properties", {})
    return result


class SchemaRewriter:
    """Rewrites the nodes of one schema.

    `repair` makes a node valid, or takes out what isn't; without it, an error in a node is raised.
    """

    def __init__(self, name: str, root: JSON, repair: Callable[[JSON], JSON] | None = None) -> None:
        self._name, self._root, self._nodes, self._repair = name, root, 0, repair

    def node(self, node: Any, refs: tuple[str, ...] = (), depth: int = 0) -> JSON:
        """The node as every provider accepts it; `refs` are the references that led to it."""
        self._nodes += 1
        if depth > MAX_DEPTH and self._repair:
            return {}
        if depth > MAX_DEPTH or self._nodes > MAX_NODES:
            raise UsageError(f"The schema of the tool '{self._name}' is too large or too deep for the providers.")
        if not isinstance(node, dict):  # `true` allows anything
            return {}
        node, refs = self._flat(node, refs, depth)
        if self._repair:
            node = self._repair(node)
        result: JSON = {keyword: node[keyword] for keyword in PORTABLE if keyword in node}
        if isinstance(result.get("enum"), list):
            result["enum"] = [value for value in result["enum"] if is_json(value)]
        for keyword, value in result.items():
            if not PORTABLE[keyword](value):
                found = json.dumps({keyword: value}, default=str)[:80]
                raise UsageError(f"The schema of the tool '{self._name}' has {found}, which isn't valid JSON schema.")
        if "default" in result and not is_json(result["default"]):
            del result["default"]
        if "const" in node and is_json(node["const"]):
            result["enum"] = [node["const"]]
        choices = node.get("anyOf") or node.get("oneOf")
        if isinstance(choices, list):
            result["anyOf"] = [self.node(choice, refs, depth + 1) for choice in choices]
        words = list(_words(node, result))
        if isinstance(node.get("properties"), dict):
            result["properties"] = {
                str(key): self.node(value, refs, depth + 1) for key, value in node["properties"].items()
            }
            needed = node.get("required") if isinstance(node.get("required"), list) else []
            if known := [key for key in needed if isinstance(key, str) and key in result["properties"]]:
                result["required"] = known
        self._members(node, result, refs, depth)
        kinds = result.get("type")
        if kinds == "array" or (isinstance(kinds, list) and "array" in kinds):
            words += self._items(node, result, refs, depth)
        description = node["description"].strip() if isinstance(node.get("description"), str) else ""
        if words:
            description = f"{description} ({'; '.join(words)})".strip()
        return result | ({"description": description} if description else {})

    def _flat(self, node: JSON, refs: tuple[str, ...], depth: int) -> tuple[JSON, tuple[str, ...]]:
        """The node with references replaced by their targets, and the parts of its `allOf` merged into it."""
        node, refs = self._resolved(node, refs)
        parts = node.get("allOf")
        if not isinstance(parts, list):
            return node, refs
        flat = []
        for part in parts:
            self._nodes += 1
            if isinstance(part, dict) and depth < MAX_DEPTH and self._nodes < MAX_NODES:
                part, refs = self._flat(part, refs, depth + 1)  # noqa: PLW2901
                flat.append(part)
        return _merged(node, flat), refs

    def _resolved(self, node: JSON, refs: tuple[str, ...]) -> tuple[JSON, tuple[str, ...]]:
        while isinstance(ref := node.get("$ref"), str):
            target = self._target(ref)
            others = {key: value for key, value in node.items() if key != "$ref"}
            if target is None:
                return {"description": f"{ref.rpartition('/')[2]} (not described)"} | others, refs
            if ref in refs:  # recursive (a tree, say): described once, then only named
                again = {"description": f"Again a {ref.rpartition('/')[2] or self._name}, as above."}
                kind = {"type": target["type"]} if isinstance(target.get("type"), str) else {}
                return again | kind | others, refs
            node, refs = target | others, (*refs, ref)
        return node, refs

    def _target(self, ref: str) -> JSON | None:
        target: Any = self._root
        for part in unquote(ref).removeprefix("#").split("/")[1:] if ref.startswith("#") else [ref]:
            key = part.replace("~1", "/").replace("~0", "~")
            target = target.get(key) if isinstance(target, dict) else None
        if not isinstance(target, dict):
            if self._repair:
                return None
            raise UsageError(f"The schema of the tool '{self._name}' refers to '{ref}', which is not in it.")
        return target

    def _members(self, node: JSON, result: JSON, refs: tuple[str, ...], depth: int) -> None:
        others = node.get("additionalProperties")
        patterns = node.get("patternProperties")
        if isinstance(others, bool):
            result["additionalProperties"] = others
        elif isinstance(others, dict):
            result["additionalProperties"] = self.node(others, refs, depth + 1)
        if isinstance(patterns, dict) and patterns and not isinstance(others, dict):
            result["additionalProperties"] = self.node({"anyOf": list(patterns.values())}, refs, depth + 1)

    def _items(self, node: JSON, result: JSON, refs: tuple[str, ...], depth: int) -> list[str]:
        items = node.get("items")
        places = node.get("prefixItems") or (items if isinstance(items, list) else None)
        if not isinstance(places, list) or not places:
            result["items"] = self.node(items, refs, depth + 1)
            return []
        parts = [self.node(place, refs, depth + 1) for place in places]
        distinct = [part for index, part in enumerate(parts) if part not in parts[:index]]
        result["items"] = distinct[0] if len(distinct) == 1 else {"anyOf": distinct}
        order = ", ".join(str(part.get("type", "anything")) for part in parts)
        return [f"in this order: {order}"] if len(distinct) > 1 else []


def _merged(node: JSON, parts: list[JSON]) -> JSON:
    """The node with these parts of its `allOf` merged into it."""
    result = {key: value for key, value in node.items() if key != "allOf"}
    for part in parts:
        for key, value in part.items():
            mine = result.get(key)
            if isinstance(mine, dict) and isinstance(value, dict):
                result[key] = value | mine
            elif key == "required" and isinstance(mine, list) and isinstance(value, list):
                result[key] = [*mine, *(one for one in value if one not in mine)]
            else:
                result.setdefault(key, value)
    return result


def _words(node: JSON, result: JSON) -> Iterator[str]:
    """In words, the keywords that not every provider supports; exclusive bounds of integers become inclusive ones."""
    if not is_json(node.get("default")):
        with contextlib.suppress(ValueError, TypeError, RecursionError):
            yield f"default: {json.dumps(node['default'])[:80]}"
    for keyword, phrase in _IN_WORDS.items():
        value = node.get(keyword)
        if value is None or value is False:
            continue
        if keyword == "format" and value == "date-time":
            result["format"] = value
        elif keyword == "exclusiveMinimum" and node.get("type") == "integer" and _is_number(value):
            result["minimum"] = max(math.floor(value) + 1, node.get("minimum", -math.inf))
        elif keyword == "exclusiveMaximum" and node.get("type") == "integer" and _is_number(value):
            result["maximum"] = min(math.ceil(value) - 1, node.get("maximum", math.inf))
        elif "{}" in phrase:
            if _is_number(value):
                yield phrase.format(int(value) if value == int(value) else value)
        else:
            yield phrase if value is True else f"{phrase}: {value if isinstance(value, str) else json.dumps(value)}"
