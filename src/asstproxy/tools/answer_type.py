"""Python types as the shape of an answer: pydantic models, dataclasses, TypedDicts, and lists of them.

pydantic makes the JSON Schema and converts the answer; it is imported when the first type is described.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from ..core.errors import UsageError
from ..core.schema_walk import resolve, with_root_at
from .annotations import with_readable_types

__all__ = ["AnswerType", "answer_type", "wrapped"]

T = TypeVar("T")
JSON = dict[str, Any]
MAX_PROBLEMS = 5


@dataclass(frozen=True, slots=True)
class AnswerType(Generic[T]):
    """A type with its schema, which is one of an object.

    `convert` makes a value of the type from JSON data that fits the schema; `check` says what is wrong with data for which it
    would fail, because a validator of the type's own demands more than the schema says.
    """

    schema: JSON
    convert: Callable[[Any], T]
    check: Callable[[Any], Sequence[str]]


def answer_type(kind: type[T]) -> AnswerType[T]:
    """The schema of a type, and how an answer becomes a value of it.

    What isn't an object in JSON (a list, an enum) is put into one, and taken out again.

    Raises:
        UsageError: pydantic can't describe the type; the message has the reason.
    """
    from pydantic import TypeAdapter, ValidationError
    from pydantic.errors import PydanticUserError

    name = getattr(kind, "__name__", str(kind))
    try:
        adapter: TypeAdapter[T] = TypeAdapter(with_readable_types(kind, {}))
        schema = adapter.json_schema()
    except (PydanticUserError, NameError, TypeError) as error:
        # pydantic's advice comes after the first sentence, and is about its own settings
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0].split(". ")[0].rstrip(".")
        raise UsageError(
            f"'{name}' can't be the shape of an answer: {reason}.", "Use a pydantic model, a dataclass or a TypedDict."
        ) from error
    key = ""
    if not _is_object(schema):
        key = "items" if schema.get("type") == "array" else "value"
        schema = wrapped(schema, key)

    def convert(data: Any) -> T:
        return adapter.validate_json(json.dumps(data[key] if key else data))

    def check(data: Any) -> Sequence[str]:
        try:
            convert(data)
        except ValidationError as error:
            found = error.errors(include_url=False, include_context=False, include_input=False)[:MAX_PROBLEMS]
            return [f"{'.'.join(map(str, one['loc']))}: {one['msg']}".removeprefix(": ") for one in found]
        return ()

    return AnswerType(schema, convert, check)


def wrapped(schema: Mapping[str, Any], key: str, *, many: bool = False) -> JSON:
    """The schema of an object whose only member is of this schema, or, with `many`, a list of such values."""
    definitions = {name: schema[name] for name in ("$defs", "definitions") if name in schema}
    inner = {name: value for name, value in schema.items() if name not in (*definitions, "$schema")}
    place = f"#/properties/{key}" + ("/items" if many else "")
    member = {"type": "array", "items": inner} if many else inner
    whole = {"type": "object", "properties": {key: member}, "required": [key], "additionalProperties": False}
    return dict(with_root_at(place, whole | definitions))


def _is_object(schema: Mapping[str, Any]) -> bool:
    ref = schema.get("$ref")
    target = resolve(ref, schema) if isinstance(ref, str) else schema
    return isinstance(target, Mapping) and target.get("type") == "object"
