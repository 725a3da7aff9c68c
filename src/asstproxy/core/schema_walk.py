"""How a JSON Schema is walked: its parts, its references, its depth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["children", "deepest", "depth", "recursion", "references", "resolve", "with_root_at"]

JSON = Mapping[str, Any]


def resolve(ref: str, root: JSON) -> Any:
    """What a reference within a schema (`#/$defs/Person`) leads to; None if nothing is there."""
    target: Any = root
    for part in ref.split("/")[1:] if ref == "#" or ref.startswith("#/") else [ref]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(target, list) and key.isdecimal() and int(key) < len(target):
            target = target[int(key)]
        else:
            target = target.get(key) if isinstance(target, Mapping) else None
    return target


def with_root_at(place: str, node: Any) -> Any:
    """A schema whose references to the root lead to this place (`#/properties/items`); those to definitions stay."""
    if isinstance(node, list):
        return [with_root_at(place, one) for one in node]
    if not isinstance(node, Mapping):
        return node
    moved = {key: with_root_at(place, value) for key, value in node.items()}
    ref = node.get("$ref")
    if isinstance(ref, str) and ref.startswith("#") and not ref.startswith(("#/$defs/", "#/definitions/")):
        moved["$ref"] = place + ref[1:]
    return moved


def children(node: Any) -> Iterator[Any]:
    """The schemas in a schema, and the lists of them. What is data (`enum`, `const`, `default`, `examples`) is left out."""
    if isinstance(node, list):
        yield from node
    elif isinstance(node, Mapping):
        for key, value in node.items():
            if key in ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas"):
                yield from value.values() if isinstance(value, Mapping) else ()
            elif key not in ("enum", "const", "default", "examples"):
                yield value


def references(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping) and isinstance(ref := node.get("$ref"), str):
        yield ref
    for child in children(node):
        yield from references(child)


def deepest(node: Any) -> int:
    return 1 + max(map(deepest, children(node)), default=0) if isinstance(node, Mapping | list) else 0


def recursion(schema: JSON) -> str:
    """A reference that leads back to itself; empty if none does."""
    done: set[str] = set()

    def walk(node: Any, inside: tuple[str, ...]) -> str:
        if isinstance(node, Mapping) and isinstance(ref := node.get("$ref"), str) and ref not in done:
            if ref in inside or ref == "#":
                return ref
            if found := walk(resolve(ref, schema), (*inside, ref)):
                return found
            done.add(ref)
        return next(filter(None, (walk(child, inside) for child in children(_without_definitions(node)))), "")

    return walk(schema, ())


def depth(schema: JSON) -> int:
    """Levels of objects and arrays; a reference that leads back to itself is followed once."""
    known: dict[str, int] = {}

    def walk(node: Any, inside: tuple[str, ...]) -> int:
        own = 1 if isinstance(node, Mapping) and ("properties" in node or "items" in node) else 0
        below = max((walk(child, inside) for child in children(_without_definitions(node))), default=0)
        if isinstance(node, Mapping) and isinstance(ref := node.get("$ref"), str) and ref not in inside:
            if ref not in known:
                known[ref] = walk(resolve(ref, schema), (*inside, ref))
            below = max(below, known[ref])
        return own + below

    return walk(schema, ())


def _without_definitions(node: Any) -> Any:
    if not isinstance(node, Mapping):
        return node
    return {key: value for key, value in node.items() if key not in ("$defs", "definitions")}
