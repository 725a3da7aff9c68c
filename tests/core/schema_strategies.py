"""JSON Schemas of objects, and answers that fit them, together: what the laws about schemas are checked with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

__all__ = ["Case", "cases", "filled", "without_nulls"]

JSON = dict[str, Any]
NAMES = st.sampled_from(["name", "age", "tags", "kind", "x", "größe"])


@dataclass(frozen=True)
class Case:
    """A schema, and data that fits it."""

    schema: JSON
    data: Any


def _strings() -> st.SearchStrategy[Case]:
    def bounded(low: int, extra: int, text: str) -> Case:
        return Case({"type": "string", "minLength": low, "maxLength": low + extra}, (text + "x" * low)[: low + extra])

    plain = st.text(max_size=8).map(lambda text: Case({"type": "string"}, text))
    return plain | st.builds(bounded, st.integers(0, 3), st.integers(0, 5), st.text(max_size=5))


def _numbers() -> st.SearchStrategy[Case]:
    def bounded(low: int, extra: int, kind: str) -> Case:
        return Case({"type": kind, "minimum": low, "exclusiveMaximum": low + extra + 1}, low + extra)

    return st.builds(bounded, st.integers(-9, 9), st.integers(0, 9), st.sampled_from(["integer", "number"]))


def _fixed() -> st.SearchStrategy[Case]:
    values = st.sampled_from(["a", "b", 3, True, None])
    enums = st.lists(values, min_size=1, max_size=3, unique_by=repr).flatmap(
        lambda some: st.sampled_from(some).map(lambda one: Case({"enum": some}, one))
    )
    return enums | values.map(lambda one: Case({"const": one}, one)) | st.just(Case({"type": "null"}, None))


def _arrays(items: st.SearchStrategy[Case]) -> st.SearchStrategy[Case]:
    def made(item: Case, count: int, words: JSON) -> Case:
        return Case({"type": "array", "items": item.schema} | words, [item.data] * count)

    return st.builds(made, items, st.integers(0, 3), st.sampled_from([{}, {"maxItems": 3}, {"description": "some"}]))


def _objects(values: st.SearchStrategy[Case]) -> st.SearchStrategy[Case]:
    member = st.tuples(values, st.booleans(), st.booleans())

    def made(members: dict[str, tuple[Case, bool, bool]], closed: bool) -> Case:
        schema: JSON = {"type": "object", "properties": {name: case.schema for name, (case, _, _) in members.items()}}
        if required := [name for name, (_, needed, _) in members.items() if needed]:
            schema["required"] = required
        if closed:
            schema["additionalProperties"] = False
        return Case(schema, {name: case.data for name, (case, needed, given) in members.items() if needed or given})

    return st.builds(made, st.dictionaries(NAMES, member, max_size=4), st.booleans())


def _unions(values: st.SearchStrategy[Case]) -> st.SearchStrategy[Case]:
    def made(chosen: Case, keyword: str) -> Case:
        return Case({keyword: [chosen.schema, {"type": "null"}]}, chosen.data)

    nullable = st.builds(made, values.filter(lambda case: case.data is not None), st.just("anyOf"))
    return nullable | st.builds(lambda case: Case({"allOf": [case.schema]}, case.data), values)


def _referred(case: Case, deep: bool) -> Case:
    """The same object as a definition that a member refers to, or the root."""
    place = {"$ref": "#/$defs/Part"} | ({"description": "a part"} if deep else {})
    schema = {"type": "object", "properties": {"part": place}, "$defs": {"Part": case.schema}}
    return Case(schema, {"part": case.data})


def cases() -> st.SearchStrategy[Case]:
    """A schema of an object, with data that fits it."""
    leaves = _strings() | _numbers() | _fixed()
    values = st.recursive(leaves, lambda inner: _arrays(inner) | _objects(inner) | _unions(inner), max_leaves=8)
    objects = _objects(values)
    return objects | st.builds(_referred, objects, st.booleans())


def filled(data: Any, schema: JSON, root: JSON) -> Any:
    """The data as a strict API's model gives it: null for each member that is absent."""
    schema = root["$defs"]["Part"] if "$ref" in schema else schema
    if "allOf" in schema:
        return filled(data, schema["allOf"][0], root)
    if "anyOf" in schema:
        return data if data is None else filled(data, schema["anyOf"][0], root)
    if isinstance(data, list):
        return [filled(one, schema["items"], root) for one in data]
    if isinstance(data, dict) and "properties" in schema:
        return {
            name: filled(data[name], part, root) if name in data else None
            for name, part in schema["properties"].items()
        }
    return data


def without_nulls(data: Any) -> Any:
    """The data without members that are null, which some schemas take and others do not."""
    if isinstance(data, list):
        return [without_nulls(one) for one in data]
    if isinstance(data, dict):
        return {name: without_nulls(value) for name, value in data.items() if value is not None}
    return data
