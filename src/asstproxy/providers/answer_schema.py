"""A schema of answers as an API takes it: what the API does not know is put into words, and objects are closed.

The answer is validated against the original in any case, so what an API is sent may allow more, but nothing less.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..core.answers import with_answer_function as by_function
from ..core.errors import AssistantError
from ..core.schema_walk import resolve
from ..core.turn import Turn
from .fields import get_object
from .transport import JSON

__all__ = [
    "CLAUDE_DIALECT",
    "OPENAI",
    "Dialect",
    "NotExpressibleError",
    "by_function",
    "can_express",
    "claude_format",
    "named_schema",
    "refuses_schema",
    "rewritten",
]

_WORDS = {
    "format": "format {}",
    "pattern": "pattern {}",
    "const": "always {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "uniqueItems": "no item twice",
    "minProperties": "at least {} members",
    "maxProperties": "at most {} members",
    "default": "default {}",
    "examples": "for example {}",
    "not": "not by the schema {}",
    "contains": "contains {}",
    "dependentRequired": "members that need others: {}",
    "propertyNames": "names by the schema {}",
    "if": "if {}",
    "then": "then {}",
    "else": "else {}",
}
_SCHEMA_WORDS = re.compile("schema|format|structured|mime|grammar|json", re.IGNORECASE)
"""Of which an error that is about the schema has one."""
_ALWAYS = frozenset(
    ("type", "enum", "description", "properties", "required", "items", "additionalProperties", "anyOf", "$ref", "$defs")
)


@dataclass(frozen=True, slots=True)
class Dialect:
    """What an API takes. `keywords`: beyond those of every API; any other is put into words.

    `closed`: each object names its members and allows no others. `required`: all of them, so that an optional one takes null
    instead. `formats`: values of `format`, if not all are taken. `references`: `$ref` is taken, but with nothing next to it.
    """

    keywords: frozenset[str]
    closed: bool = False
    required: bool = False
    formats: frozenset[str] | None = None
    references: bool = True


OPENAI = Dialect(
    frozenset(
        """const title pattern format multipleOf minimum maximum exclusiveMinimum exclusiveMaximum minItems
        maxItems""".split()  # noqa: SIM905 - shorter than a list
    ),
    closed=True,
    required=True,
    formats=frozenset(("date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid")),
)
"""https://developers.openai.com/api/docs/guides/structured-outputs (strict mode)."""


CLAUDE_DIALECT = Dialect(
    frozenset(("const", "title", "format")),
    closed=True,
    formats=frozenset(("date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid")),
)
"""https://platform.claude.com/docs/en/build-with-claude/structured-outputs."""


class NotExpressibleError(ValueError):
    """A schema cannot be expressed in a dialect without refusing answers that fit."""


def rewritten(schema: Mapping[str, Any], dialect: Dialect) -> JSON:
    """The schema in this dialect; it allows every answer that the original allows (null stands for an absent member).

    Raises:
        NotExpressibleError: that is impossible.
    """
    return _Rewriter(schema, dialect).root()


def claude_format(turn: Turn) -> JSON:
    """The `output_config` of a body for Anthropic's Messages API, if the answer must fit a schema, next to what a setting has."""
    if turn.schema is None:
        return {}
    form = {"format": {"type": "json_schema", "schema": rewritten(turn.schema, CLAUDE_DIALECT)}}
    return {"output_config": get_object(turn.settings, "output_config") | form}


def can_express(turn: Turn, dialect: Dialect | None) -> bool:
    """Whether the schema of a turn, if it has one, can be sent in this dialect."""
    try:
        if turn.schema is not None and dialect is not None:
            rewritten(turn.schema, dialect)
    except NotExpressibleError:
        return False
    return True


def refuses_schema(turn: Turn, error: AssistantError) -> bool:
    """Whether an API refused a request because of the schema in it; it may do so for one model, or next to tools."""
    refused = turn.schema is not None and error.kind == "invalid_request"
    return refused and bool(_SCHEMA_WORDS.search(str(error)))


def named_schema(schema: Mapping[str, Any]) -> JSON:
    """The schema as OpenAI's APIs take it, with the name that they demand: in strict mode, or not where that cannot express it."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", str(schema.get("title") or ""))[:64].strip("_") or "answer"
    try:
        return {"name": name, "schema": rewritten(schema, OPENAI), "strict": True}
    except NotExpressibleError:
        return {"name": name, "schema": dict(schema), "strict": False}


class _Rewriter:
    def __init__(self, schema: Mapping[str, Any], dialect: Dialect) -> None:
        self._root, self._dialect = schema, dialect
        self._nodes = 0

    def root(self) -> JSON:
        result = self._node(
            {key: value for key, value in self._root.items() if key not in ("$defs", "definitions")}, ()
        )
        if "properties" not in result or (self._dialect.required and "anyOf" in result):
            raise NotExpressibleError("the root is not a plain object")
        if self._dialect.references:
            for name in ("$defs", "definitions"):
                if isinstance(parts := self._root.get(name), Mapping):
                    result[name] = {key: self._node(part, ()) for key, part in parts.items()}
        return result

    def _node(self, node: Any, inside: tuple[str, ...]) -> JSON:
        self._nodes += 1
        if self._nodes > 5000:
            raise NotExpressibleError("it is too large")
        if not isinstance(node, Mapping):
            if node is False or self._dialect.closed:
                raise NotExpressibleError("a part of it allows anything, or nothing")
            return {}
        if isinstance(ref := node.get("$ref"), str):
            others = {key: value for key, value in node.items() if key != "$ref"}
            if self._dialect.references and ref.startswith(("#/$defs/", "#/definitions/")) and not others:
                return {"$ref": ref}
            target = resolve(ref, self._root)
            if ref in inside or not isinstance(target, Mapping):
                if self._dialect.references and ref.startswith("#"):
                    return {"$ref": ref}  # recursive: its siblings are dropped
                raise NotExpressibleError("it refers to itself")
            return self._node({**target, **others}, (*inside, ref))
        node = self._merged(node)
        result: JSON = {}
        words: list[str] = []
        for key, value in node.items():
            self._keyword(key, value, result, words, inside)
        if self._dialect.closed and not {"type", "enum", "const", "anyOf"} & result.keys():
            raise NotExpressibleError("a part of it allows anything")
        if "object" in _types(node) or "properties" in result:
            self._close(node, result)
        if "array" in _types(node) and "items" not in result:
            if self._dialect.closed:
                raise NotExpressibleError("a list names no items")
            result["items"] = {}
        if words:
            described = str(result.get("description") or "").strip()
            result["description"] = f"{described} ({'; '.join(words)})".strip()
        return result

    def _keyword(self, key: str, value: Any, result: JSON, words: list[str], inside: tuple[str, ...]) -> None:
        dialect = self._dialect
        match key:
            case "properties":
                result[key] = {str(name): self._node(part, inside) for name, part in value.items()}
            case "items" if isinstance(value, Mapping):
                result[key] = self._node(value, inside)
            case "prefixItems" | "items":
                if isinstance(value, bool) and not (value and dialect.closed):
                    return
                raise NotExpressibleError("a list has places of its own")
            case "additionalProperties" if isinstance(value, Mapping) and not dialect.closed:
                result[key] = self._node(value, inside)
            case "anyOf" | "oneOf":
                result["anyOf"] = [self._node(part, inside) for part in value]
            case "format" if dialect.formats is not None and value not in dialect.formats:
                words.append(_WORDS[key].format(value))
            case "const" if key not in dialect.keywords:
                result["enum"] = [value]
            case _ if key in dialect.keywords or (key in _ALWAYS and not isinstance(value, Mapping)):
                result[key] = value
            case _ if key in _WORDS and value is not None and value is not False:
                words.append(_WORDS[key].format(json.dumps(value, ensure_ascii=False)[:200]))

    def _close(self, node: Mapping[str, Any], result: JSON) -> None:
        if not self._dialect.closed:
            if "patternProperties" in node:  # which the dialect does not have: others are allowed
                result.pop("additionalProperties", None)
            return
        open_ended = node.get("additionalProperties") not in (None, False) or "patternProperties" in node
        if "properties" not in result or open_ended or set(node.get("required") or ()) - set(result["properties"]):
            raise NotExpressibleError("an object allows members that it doesn't name")
        result["additionalProperties"] = False
        if self._dialect.required:
            needed = node.get("required") or ()
            result["properties"] = {
                name: part if name in needed else _or_null(part) for name, part in result["properties"].items()
            }
            result["required"] = list(result["properties"])

    def _merged(self, node: Mapping[str, Any]) -> Mapping[str, Any]:
        """The node with its only `allOf` part, as pydantic writes it, merged into it."""
        parts = node.get("allOf")
        if not isinstance(parts, list):
            return node
        others = {key: value for key, value in node.items() if key != "allOf"}
        part = parts[0] if len(parts) == 1 and others.keys() <= {"title", "description", "default"} else None
        if isinstance(part, Mapping) and isinstance(ref := part.get("$ref"), str):
            part = resolve(ref, self._root)
        if not isinstance(part, Mapping) or {"allOf", "$ref"} & part.keys():
            raise NotExpressibleError("parts of it must hold at the same time")
        return {**part, **others}


def _types(node: Mapping[str, Any]) -> list[Any]:
    kinds = node.get("type")
    return kinds if isinstance(kinds, list) else [kinds]


def _or_null(part: JSON) -> JSON:
    """The schema that also takes null."""
    kinds = part.get("type")
    plain = not {"enum", "const", "anyOf", "$ref"} & part.keys()
    if plain and kinds is not None:
        listed = kinds if isinstance(kinds, list) else [kinds]
        return part if "null" in listed else part | {"type": [*listed, "null"]}
    if "anyOf" in part and len(part.keys() - {"anyOf", "description", "title"}) == 0:
        choices = part["anyOf"]
        return part if {"type": "null"} in choices else part | {"anyOf": [*choices, {"type": "null"}]}
    described = {key: part[key] for key in ("description",) if key in part}
    return described | {"anyOf": [{k: v for k, v in part.items() if k not in described}, {"type": "null"}]}
