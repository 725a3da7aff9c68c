"""Picoschema, the short form of JSON Schema in dotprompt's front matter.

```yaml
title: string, what it is about
pages?: integer                  # optional: may be left out, or null
tone(enum, how it reads): [dry, warm]
authors(array): {name: string}
(*): any                         # any other key
```

Source: <https://google.github.io/dotprompt/reference/picoschema/>. JSON Schema itself is taken as it is.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ..core.errors import UsageError
from .yaml_reader import Node, at

__all__ = ["json_schema"]

MAX_KEY = 500
"""Characters of a key with its description."""
SCALARS = ("string", "boolean", "null", "number", "integer", "any")
_KEY = re.compile(r"(?P<name>[^(?]+?)(?P<optional>\?)?\s*(?:\((?P<kind>\w+)\s*(?:,\s*(?P<about>.*))?\))?\s*", re.DOTALL)
_REST = "(*)"


def json_schema(node: Node, path: Path) -> dict[str, Any]:
    """The JSON Schema that this part of a file stands for.

    Raises:
        UsageError: it is neither Picoschema nor JSON Schema; the message has the line and the column.
    """
    if isinstance(node.value, dict):
        kind = node.value.get("type")
        if kind is not None and kind.value in (*SCALARS, "object", "array") and "," not in kind.text:
            plain: dict[str, Any] = node.plain
            return plain
        if isinstance(getattr(node.value.get("properties"), "value", None), dict):
            return {**node.plain, "type": "object"}
    return _schema(node, path)


def _schema(node: Node, path: Path) -> dict[str, Any]:
    if isinstance(node.value, str):
        return _scalar(node, path)
    if not isinstance(node.value, dict):
        raise UsageError(
            f"{at(path, node.line, node.column)}: a type must be a name or a mapping.",
            f"Use one of: {', '.join(SCALARS)}.",
        )
    properties: dict[str, Any] = {}
    required: list[str] = []
    schema: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    for key, value in node.value.items():
        if key.strip() == _REST:
            schema["additionalProperties"] = _schema(value, path)
            continue
        found = _KEY.fullmatch(key) if len(key) <= MAX_KEY else None
        if found is None:
            raise UsageError(
                f'{at(path, *node.keys[key])}: "{key[:40]}" isn\'t a name.',
                "Write name, name?, or name(array, description).",
            )
        properties[found["name"]] = _property(found, value, path, node.keys[key])
        if not found["optional"]:
            required.append(found["name"])
    return schema | ({"required": required} if required else {})


def _property(key: re.Match[str], value: Node, path: Path, place: tuple[int, int]) -> dict[str, Any]:
    match key["kind"]:
        case None | "object":
            schema = _schema(value, path)
        case "array":
            schema = {"type": "array", "items": _schema(value, path)}
        case "enum":
            if not isinstance(value.value, list) or not value.value:
                raise UsageError(
                    f"{at(path, value.line, value.column)}: an enum needs a list of values.", "Write [a, b]."
                )
            schema = {"enum": value.plain}
        case kind:
            raise UsageError(
                f'{at(path, *place)}: "{kind}" isn\'t a kind of value.', "Use array, object or enum in parentheses."
            )
    if key["optional"]:
        if isinstance(schema.get("type"), str):
            schema["type"] = [schema["type"], "null"]
        elif "enum" in schema and None not in schema["enum"]:
            schema["enum"] = [*schema["enum"], None]
    if key["about"]:
        schema["description"] = key["about"].strip()
    return schema


def _scalar(node: Node, path: Path) -> dict[str, Any]:
    kind, _, about = (part.strip() for part in node.text.partition(","))
    if kind not in SCALARS:
        raise UsageError(
            f'{at(path, node.line, node.column)}: "{kind}" isn\'t a type.', f"Use one of: {', '.join(SCALARS)}."
        )
    return ({} if kind == "any" else {"type": kind}) | ({"description": about} if about else {})
