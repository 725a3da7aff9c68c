"""The schemas of MCP servers, as every provider accepts them.

Nobody here can edit a server, so what isn't valid is repaired, or else allows anything: the server checks the arguments itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .portable_schema import PORTABLE, TYPES, SchemaRewriter, as_object, is_json

__all__ = ["declared_schema", "portable_foreign"]

JSON = dict[str, Any]
_MEANT = {
    "str": "string",
    "text": "string",
    "int": "integer",
    "float": "number",
    "double": "number",
    "bool": "boolean",
    "list": "array",
    "tuple": "array",
    "dict": "object",
    "none": "null",
}
"""Types that servers write, and what they mean."""


SCHEMA_NAMES = ("inputSchema", "input_schema", "parameters")
"""The protocol's name for the schema of the parameters, and those of Anthropic's and OpenAI's APIs, which some servers write."""


def declared_schema(tool: Mapping[str, Any]) -> Any:
    """The schema that a server declares for a tool's parameters, as whatever JSON; a text is decoded."""
    schema = next((tool[name] for name in SCHEMA_NAMES if tool.get(name) is not None), None)
    if isinstance(schema, str):
        try:
            return json.loads(schema)
        except (ValueError, RecursionError):
            return None
    return schema


def portable_foreign(name: str, schema: Any) -> JSON:
    """The schema of the parameters of a server's tool, whatever JSON it is, with only the keywords that every provider supports.

    Raises:
        UsageError: the parameters aren't an object, or the schema is too large; the message has the reason.
    """
    root = dict(schema) if isinstance(schema, dict) else {}
    for keyword in ("anyOf", "oneOf"):
        if isinstance(choices := root.get(keyword), list):
            root[keyword] = [_with_members(choice) for choice in choices]
    result = SchemaRewriter(name, root, _repaired).node(root)
    kinds = result.get("type", "object")
    if kinds == "null" or (isinstance(kinds, list) and "object" in kinds):
        kinds = "object"
    result = {key: value for key, value in result.items() if key not in ("enum", "items", "default")} | {"type": kinds}
    return as_object(name, _joined(result) if kinds == "object" else result)


def _repaired(node: JSON) -> JSON:
    """The node without what isn't valid JSON schema, or with what was meant."""
    result = dict(node)
    if "type" in node:
        kinds = [_type_of(kind) for kind in (node["type"] if isinstance(node["type"], list) else [node["type"]])]
        known = [*dict.fromkeys(kind for kind in kinds if kind)]
        if known and None not in kinds and node["type"] is not None:
            result["type"] = known if isinstance(node["type"], list) else known[0]
        else:  # one of them is unknown, so anything may be meant
            del result["type"]
    for keyword in ("minItems", "maxItems", "minimum", "maximum"):
        if isinstance(value := node.get(keyword), str) and value.isascii() and value.isdecimal():
            result[keyword] = int(value[:9])
    for keyword, is_valid in PORTABLE.items():
        if keyword in result and not is_valid(result[keyword]):
            del result[keyword]
    if isinstance(result.get("enum"), list) and not any(map(is_json, result["enum"])):
        del result["enum"]
    return result


def _type_of(kind: Any) -> str | None:
    name = kind.lower() if isinstance(kind, str) else "null" if kind is None else ""
    return name if name in TYPES else _MEANT.get(name)


def _with_members(choice: Any) -> Any:
    """A choice on top that only says which members it needs, with these as its members."""
    needed = choice.get("required") if isinstance(choice, dict) and "properties" not in choice else None
    if not isinstance(needed, list):
        return choice
    return choice | {"properties": {key: {} for key in needed if isinstance(key, str)}}


def _joined(result: JSON) -> JSON:
    """An object with alternatives on top, as one object that has the members of all; the description names the alternatives."""
    choices = [one for one in result.get("anyOf", ()) if one.get("type", "object") == "object"]
    joined = {key: value for key, value in result.items() if key != "anyOf"}
    members: JSON = dict(joined.get("properties", {}))
    for choice in choices:
        for key, value in choice.get("properties", {}).items():
            if key not in members:
                members[key] = value
            elif value not in ({}, members[key]):
                mine = members[key]["anyOf"] if set(members[key]) == {"anyOf"} else [members[key]]
                members[key] = {"anyOf": mine if value in mine else [*mine, value]}
    if not choices:
        return joined
    needed = [set(choice.get("required", ())) for choice in choices]
    always = [key for key in members if key in joined.get("required", ()) or all(key in one for one in needed)]
    sets = [*dict.fromkeys(" and ".join(choice.get("required", ())) for choice in choices)]
    joined = {key: value for key, value in joined.items() if key not in ("required", "additionalProperties")}
    joined |= {"properties": members} | ({"required": always} if always else {})
    if len(sets) > 1:
        words = f"(give one of these: {'; '.join(one or 'none of them' for one in sets)})"
        joined["description"] = f"{joined.get('description', '')} {words}".strip()
    return joined
