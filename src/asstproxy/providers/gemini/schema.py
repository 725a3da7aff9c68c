"""JSON schemas as Google accepts them: references to definitions are inlined.

`parametersJsonSchema` takes `$ref` and `$defs`, but refuses a reference next to keys other than `description` and `default`;
servers that speak Gemini's REST API often know neither. A definition that contains itself can't be inlined: it stays a
reference, and its definition stays with it.
"""

from __future__ import annotations

from typing import Any

from ..transport import JSON

__all__ = ["inlined"]

_CONTAINERS = ("$defs", "definitions")


def inlined(schema: JSON) -> JSON:
    """The same schema, with its definitions in place of the references to them."""
    definitions = {
        f"#/{container}/{name}": definition
        for container in _CONTAINERS
        for name, definition in (schema.get(container) or {}).items()
    }
    references = [name for name in _references(schema) if name not in definitions]
    if not definitions or references:
        return schema  # nothing to inline, or more than we can
    kept: set[str] = set()
    body = {key: value for key, value in schema.items() if key not in _CONTAINERS}
    result = _inline(body, definitions, (), kept)
    for container in _CONTAINERS:
        left = {
            n: d
            for n, d in (schema.get(container) or {}).items()
            if f"#/{container}/{n}" in _reached(kept, definitions)
        }
        if left:
            result[container] = left
    return dict(result)


def _inline(value: Any, definitions: dict[str, Any], inside: tuple[str, ...], kept: set[str]) -> Any:
    if isinstance(value, list):
        return [_inline(item, definitions, inside, kept) for item in value]
    if not isinstance(value, dict):
        return value
    name = value.get("$ref")
    if isinstance(name, str) and name in definitions:
        if name in inside or _contains_itself(name, definitions):
            kept.add(name)
            return {"$ref": name}
        neighbours = {key: item for key, item in value.items() if key != "$ref"}
        return _inline(definitions[name] | neighbours, definitions, (*inside, name), kept)
    return {key: _inline(item, definitions, inside, kept) for key, item in value.items()}


def _contains_itself(name: str, definitions: dict[str, Any]) -> bool:
    return name in _reached(set(_references(definitions[name])), definitions)


def _reached(names: set[str], definitions: dict[str, Any]) -> set[str]:
    """The definitions that can be reached from these, themselves included."""
    found, left = set(), set(names)
    while left:
        name = left.pop()
        if name in definitions and name not in found:
            found.add(name)
            left |= set(_references(definitions[name]))
    return found


def _references(value: Any) -> list[str]:
    if isinstance(value, list):
        return [name for item in value for name in _references(item)]
    if not isinstance(value, dict):
        return []
    own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
    return own + [name for item in value.values() for name in _references(item)]
