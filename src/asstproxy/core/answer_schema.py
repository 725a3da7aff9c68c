"""The schema of an answer: what an answer must be to fit, and what is asked when it does not.

An answer fits when it is JSON, and valid by its JSON Schema (https://json-schema.org/draft/2020-12). `jsonschema` decides that; it
is imported when the first schema is used, and never fetches a schema from elsewhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from .codec import repair_json
from .errors import UsageError
from .schema_walk import deepest, references, resolve

__all__ = ["AnswerSchema", "Check", "MismatchError", "one_line"]

JSON = Mapping[str, Any]
Check = Callable[[Any], Sequence[str]]
"""What else an answer must be, in words for the assistant; empty if it is. Called with JSON that is valid by the schema."""

MAX_DEPTH = 64
"""Levels of a schema; beyond it, no API takes one."""
MAX_PROBLEMS = 5
MAX_REPEATED = 8000
"""Characters of a schema that a correction repeats."""
_FENCED = re.compile(r"\s*```[a-zA-Z]*[ \t]*\r?\n(.*?)\r?\n?[ \t]*```\s*", re.DOTALL)
_LINE_ENDS = re.compile("[\u0085\u2028\u2029]")


class MismatchError(ValueError):
    """An answer does not fit its schema; `problems` say why, in words for people and for the assistant."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


class AnswerSchema:
    """A JSON Schema for answers. `check`: see `Check`.

    Raises:
        UsageError: it is not a JSON Schema, or not one of an object.
    """

    def __init__(self, schema: JSON, check: Check | None = None) -> None:
        self.schema, self._check = _with_root(schema), check
        self._validator = _validator(self.schema)

    def read(self, text: str) -> Any:
        """The data of an answer. A fence around it is ignored, and so is null for a member that is optional.

        Raises:
            MismatchError: the answer does not fit.
        """
        data = _parsed(text)
        if (problems := self._problems(data)) and (fewer := self._without_nulls(data)) != data:
            data, problems = fewer, self._problems(fewer)
        if not problems and self._check is not None:
            problems = list(self._check(data))
        if problems:
            raise MismatchError(problems)
        return data

    def _problems(self, data: Any) -> list[str]:
        try:
            errors = sorted(self._validator.iter_errors(data), key=lambda error: [*map(str, error.absolute_path)])
        except RecursionError:
            return ["it is nested too deeply"]
        words = list(dict.fromkeys(map(_words, errors)))
        return words if len(words) <= MAX_PROBLEMS else [*words[:MAX_PROBLEMS], f"{len(words) - MAX_PROBLEMS} more"]

    def _without_nulls(self, data: Any) -> Any:
        def fits(value: Any, schema: Any) -> bool:
            return bool(self._validator.evolve(schema=schema).is_valid(value))

        try:
            return _without_nulls(data, self.schema, self.schema, fits)
        except RecursionError:
            return data

    def correction(self, problems: Iterable[str]) -> str:
        """What the assistant is asked after an answer that does not fit."""
        asked = f"Your answer does not fit the JSON Schema: {'; '.join(problems)}. Answer again, with JSON that fits it"
        schema = one_line(self.schema)
        return f"{asked}, and nothing else." if len(schema) > MAX_REPEATED else f"{asked}, and nothing else:\n{schema}"


def one_line(data: Any) -> str:
    """Data as one line of JSON, without spaces; every character that ends a line somewhere is escaped."""
    text = json.dumps(repair_json(data), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return _LINE_ENDS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


# ---- reading a schema --------------------------------------------------------------------------------------------------


def _with_root(schema: JSON) -> dict[str, Any]:
    """The schema with its root written out, where that is a reference (pydantic's, of a model that refers to itself)."""
    ref = schema.get("$ref")
    target = resolve(ref, schema) if isinstance(ref, str) and ref != "#" else None
    if not isinstance(target, Mapping) or "$ref" in target:
        return dict(schema)
    return {**target, **{key: value for key, value in schema.items() if key != "$ref"}}


def _validator(schema: dict[str, Any]) -> Any:
    try:
        one_line(schema)
        is_too_deep = deepest(schema) > MAX_DEPTH
    except RecursionError:
        is_too_deep = True
    except (TypeError, ValueError) as error:
        raise UsageError(f"The schema is not JSON: {error}.", "Fix the schema.") from None
    if is_too_deep:
        raise UsageError(f"The schema is more than {MAX_DEPTH} levels deep.", "Make the schema flatter.")
    from jsonschema.exceptions import SchemaError
    from jsonschema.validators import Draft202012Validator, validator_for
    from referencing import Registry

    kind = validator_for(schema, default=Draft202012Validator)
    try:
        kind.check_schema(schema)
    except SchemaError as error:
        place = ".".join(map(str, error.absolute_path))
        raise UsageError(
            f"Not a JSON Schema: {f'{place}: ' if place else ''}{_short(error.message)}.", "Fix the schema."
        ) from None
    for ref in references(schema):
        if not isinstance(resolve(ref, schema), Mapping):
            raise UsageError(f"The schema refers to '{ref}', which is not in it.", "Put it under $defs.")
    if schema.get("type") != "object":
        raise UsageError(
            "The schema doesn't describe an object, and providers accept nothing else.",
            'Write {"type": "object", "properties": …}; put a list into a property.',
        )
    return kind(schema, registry=Registry(), format_checker=kind.FORMAT_CHECKER)


# ---- reading an answer -------------------------------------------------------------------------------------------------


def _parsed(text: str) -> Any:
    fenced = _FENCED.fullmatch(text)
    try:
        return json.loads(fenced[1] if fenced else text, parse_constant=_refuse, parse_float=_finite)
    except RecursionError:
        raise MismatchError(["it is nested too deeply"]) from None
    except json.JSONDecodeError as error:
        where = f"{error.msg[:1].lower()}{error.msg[1:]} (line {error.lineno}, column {error.colno})"
        raise MismatchError(["it is empty" if not text.strip() else f"it is not JSON: {where}"]) from None
    except ValueError as error:
        raise MismatchError([f"it is not JSON: {error}"]) from None


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not a number in JSON")


def _finite(number: str) -> float:
    value = float(number)
    if value in (float("inf"), float("-inf")):
        raise ValueError(f"{number} is too large")
    return value


def _words(error: Any) -> str:
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path).lstrip(".")
    return f"{place}: {_short(error.message)}" if place else _short(error.message)


def _short(message: str) -> str:
    line = " ".join(message.split())
    return line if len(line) <= 200 else f"{line[:100]} … {line[-80:]}"


def _without_nulls(data: Any, node: Any, root: JSON, fits: Callable[[Any, Any], bool]) -> Any:
    """The data without null for optional members whose own schema does not take it; `fits` validates data by a schema.

    An API whose strict mode requires every member gets `null` from its model for a member that is absent.
    """
    if not isinstance(node, Mapping) or not isinstance(data, dict | list):
        return data
    if isinstance(ref := node.get("$ref"), str):
        data = _without_nulls(data, resolve(ref, root), root, fits)
    for part in _list(node.get("allOf")):
        data = _without_nulls(data, part, root, fits)
    for choice in [*_list(node.get("anyOf")), *_list(node.get("oneOf"))]:
        fewer = _without_nulls(data, choice, root, fits)
        if fits(fewer, choice):
            data = fewer
            break
    if isinstance(data, list):
        places, items = _list(node.get("prefixItems")), node.get("items")
        return [_without_nulls(one, places[i] if i < len(places) else items, root, fits) for i, one in enumerate(data)]
    properties, required = node.get("properties"), node.get("required") or ()
    properties = properties if isinstance(properties, Mapping) else {}
    return {
        key: _without_nulls(value, properties.get(key, node.get("additionalProperties")), root, fits)
        for key, value in data.items()
        if value is not None or key in required or key not in properties or _takes_null(properties[key], root)
    }


def _takes_null(node: Any, root: JSON, inside: tuple[str, ...] = ()) -> bool:
    if not isinstance(node, Mapping):
        return node is not False
    if isinstance(ref := node.get("$ref"), str):
        return ref in inside or _takes_null(resolve(ref, root), root, (*inside, ref))
    kinds = node.get("type")
    choices = [*_list(node.get("anyOf")), *_list(node.get("oneOf"))]
    return (
        (kinds is None or kinds == "null" or (isinstance(kinds, list) and "null" in kinds))
        and ("enum" not in node or None in node["enum"])
        and ("const" not in node or node["const"] is None)
        and (not choices or any(_takes_null(choice, root, inside) for choice in choices))
        and all(_takes_null(part, root, inside) for part in _list(node.get("allOf")))
    )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
