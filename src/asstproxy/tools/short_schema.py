"""The short form of a schema, as users of `llm` know it: `name, age int: in years, active bool`.

A field is a name, then its type (`str` unless another is given: `int`, `float`, `bool`), then after a colon a description for the
assistant. Commas separate fields; where the form has several lines, the lines do, so that a description may have commas.
"""

from __future__ import annotations

from typing import Any

from ..core.errors import UsageError

__all__ = ["TYPES", "short_schema"]

TYPES = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}
"""The types of the short form, and those of JSON Schema."""


def short_schema(text: str) -> dict[str, Any]:
    """The JSON Schema of an object with these fields, all of them required.

    Raises:
        UsageError: it is not in the short form; the message names the field.
    """
    properties: dict[str, Any] = {}
    for part in text.split("\n") if "\n" in text.strip() else text.split(","):
        field, _, description = (piece.strip() for piece in part.partition(":"))
        name, *kinds = field.split()[:3] or [""]
        if not field and not description:
            continue
        kind = kinds[0] if kinds else "str"
        if not name.isidentifier() or kind not in TYPES or len(kinds) > 1:
            raise UsageError(
                f"Invalid field in the schema: '{' '.join(part.split())[:60]}'.",
                f"Write: name, age int: in years. Types: {', '.join(TYPES)}.",
            )
        if name in properties:
            raise UsageError(f"The schema has the field '{name}' twice.", "Name each field once.")
        properties[name] = {"type": TYPES[kind]} | ({"description": description} if description else {})
    if not properties:
        raise UsageError("The schema has no fields.", "Write: name, age int: in years.")
    return {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}
