"""What a schema may say so that every provider takes it, and whether a value fits one."""

from __future__ import annotations

from typing import Any

KEYWORDS = frozenset(
    [
        "type",
        "description",
        "enum",
        "items",
        "minItems",
        "maxItems",
        "minimum",
        "maximum",
        "anyOf",
        "properties",
        "required",
        "additionalProperties",
        "default",
        "format",
    ]
)
TYPES: dict[str, Any] = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}


def assert_portable(schema: dict[str, Any]) -> None:
    """The schema is an object that has only what every provider knows."""
    assert schema["type"] == "object"
    assert "anyOf" not in schema
    _check(schema)


def _check(node: Any) -> None:
    assert isinstance(node, dict)
    assert set(node) <= KEYWORDS, set(node) - KEYWORDS
    assert node.get("format") in (None, "date-time")
    assert ("array" not in _kinds(node)) or "items" in node, "OpenAI refuses an array without items"
    parts = [*node.get("anyOf", ()), *node.get("properties", {}).values()]
    for part in (node.get("items"), node.get("additionalProperties")):
        parts += [part] if isinstance(part, dict) else []
    for part in parts:
        _check(part)


def _kinds(node: dict[str, Any]) -> list[str]:
    kind = node.get("type", [])
    return [kind] if isinstance(kind, str) else kind


def fits(value: Any, schema: dict[str, Any]) -> bool:
    """Whether JSON fits a portable schema."""
    if "anyOf" in schema:
        return any(fits(value, choice) for choice in schema["anyOf"])
    if "enum" in schema and value not in schema["enum"]:
        return False
    kinds = _kinds(schema)
    if kinds and not any(_is(value, kind) for kind in kinds):
        return False
    if isinstance(value, int | float) and not isinstance(value, bool):
        return bool(schema.get("minimum", value) <= value <= schema.get("maximum", value))
    if isinstance(value, list):
        return all(fits(item, schema.get("items", {})) for item in value) and (
            schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value))
        )
    if isinstance(value, dict):
        known, others = schema.get("properties", {}), schema.get("additionalProperties", True)
        return set(schema.get("required", ())) <= set(value) and all(
            fits(member, known[key])
            if key in known
            else others is not False and fits(member, others if isinstance(others, dict) else {})
            for key, member in value.items()
        )
    return True


def _is(value: Any, kind: str) -> bool:
    if kind in ("number", "integer"):
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        return isinstance(value, int | float) and not isinstance(value, bool) and (kind == "number" or whole)
    return isinstance(value, TYPES[kind])
