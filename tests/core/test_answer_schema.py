"""Answers that must fit a schema: what is read from a text, what is refused, and which schemas are valid."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asstproxy.core.answer_schema import AnswerSchema, MismatchError, one_line
from asstproxy.core.errors import UsageError
from asstproxy.core.roles import SchemaSupport

from .schema_strategies import Case, cases, filled, without_nulls

PERSON: dict[str, Any] = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}, "nick": {"type": ["string", "null"]}},
    "required": ["name"],
}
TREE: dict[str, Any] = {
    "$ref": "#/$defs/Node",
    "$defs": {
        "Node": {"type": "object", "properties": {"kids": {"type": "array", "items": {"$ref": "#/$defs/Node"}}}},
    },
}


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ('{"name": "Rex", "age": 3}', {"name": "Rex", "age": 3}),
        ('\n```json\n{"name": "Rex"}\n```\n', {"name": "Rex"}),
        ('```\n{"name": "```"}\n```', {"name": "```"}),
        ('{"name": "Rex", "age": null, "nick": null}', {"name": "Rex", "nick": None}),
        ('{"name": "Rex", "more": null}', {"name": "Rex", "more": None}),
    ],
)
def test_what_fits_is_read(text: str, data: Any) -> None:
    """JSON, with or without a fence; null for an optional member that does not take it is left out."""
    assert AnswerSchema(PERSON).read(text) == data


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "it is empty"),
        ("Rex, three years", "it is not JSON: expecting value (line 1, column 1)"),
        ('{"name": "Rex"', "it is not JSON: expecting ',' delimiter (line 1, column 15)"),
        ('Here: {"name": "Rex"}', "it is not JSON: expecting value (line 1, column 1)"),
        ('{"name": NaN}', "it is not JSON: NaN is not a number in JSON"),
        ('{"name": 1e999}', "it is not JSON: 1e999 is too large"),
        ("[" * 200_000, "it is nested too deeply"),
        ("[]", "[] is not of type 'object'"),
        ("{}", "'name' is a required property"),
        ('{"name": "Rex", "age": "three"}', "age: 'three' is not of type 'integer'"),
        ('{"name": null}', "name: None is not of type 'string'"),
    ],
)
def test_what_does_not_fit_is_explained(text: str, problem: str) -> None:
    """A person and the assistant read where it does not fit, and why."""
    with pytest.raises(MismatchError) as caught:
        AnswerSchema(PERSON).read(text)
    assert caught.value.problems == (problem,)


def test_a_schema_that_contains_itself_without_end() -> None:
    """No data can be checked with it: that is said, and nothing breaks."""
    with pytest.raises(MismatchError, match="nested too deeply"):
        AnswerSchema({"type": "object", "allOf": [{"$ref": "#"}]}).read("{}")


def test_problems_are_few_and_short() -> None:
    """Of many problems five are told, and a long value is cut."""
    schema = {"type": "object", "properties": {f"m{n}": {"type": "integer"} for n in range(9)}}
    with pytest.raises(MismatchError) as caught:
        AnswerSchema(schema).read(json.dumps({f"m{n}": "x" * 9999 for n in range(9)}))
    assert caught.value.problems[-1] == "4 more"
    assert max(map(len, caught.value.problems)) < 300


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "strng"}, "Not a JSON Schema: type: 'strng'"),
        ({"type": "object", "properties": 3}, "Not a JSON Schema: properties: 3 is not of type 'object'."),
        ({"type": "object", "properties": {"a": {"pattern": "("}}}, "Not a JSON Schema: properties.a.pattern"),
        ({"type": "array", "items": {}}, "doesn't describe an object"),
        ({}, "doesn't describe an object"),
        ({"type": "object", "properties": {"a": {"$ref": "#/$defs/B"}}}, "refers to '#/$defs/B', which is not in it"),
        ({"type": "object", "properties": {"a": {"$ref": "http://127.0.0.1:9/b"}}}, "which is not in it"),
        ({"type": "object", "default": {1, 2}}, "The schema is not JSON"),
    ],
)
def test_what_is_not_a_schema_is_refused(schema: Any, words: str) -> None:
    """Nothing is fetched from elsewhere, and the message names the place."""
    with pytest.raises(UsageError) as caught:
        AnswerSchema(schema)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_schema_that_is_too_deep_is_refused() -> None:
    """Also one that would break the stack of a program that walks it."""
    deep: dict[str, Any] = {"type": "string"}
    for _ in range(100):
        deep = {"type": "object", "properties": {"a": deep}}
    with pytest.raises(UsageError, match="levels deep"):
        AnswerSchema(deep)
    for _ in range(100_000):
        deep = {"type": "object", "properties": {"a": deep}}
    with pytest.raises(UsageError, match="levels deep"):
        AnswerSchema(deep)


def test_limits_of_an_api() -> None:
    """A schema that refers to itself, or is deeper than an API takes, is refused with the name of the assistant."""
    tree = AnswerSchema(TREE).schema
    with pytest.raises(UsageError, match=r"^The schema refers to itself \('#/\$defs/Node'\), which gemini doesn't"):
        SchemaSupport().check(tree, "gemini")
    SchemaSupport(recursive=True).check(tree, "gpt")
    levels = {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "object", "properties": {}}}}}
    SchemaSupport(depth=3).check(levels, "gpt")
    with pytest.raises(UsageError, match=r"^The schema is 3 levels deep; gpt accepts 2\.$"):
        SchemaSupport(depth=2).check(levels, "gpt")


def test_definitions_that_double_are_walked_in_linear_time() -> None:
    """Sixty definitions that each refer twice to the next, which would be 2⁶⁰ nodes."""
    chain = {
        f"D{n}": {"type": "object", "properties": {key: {"$ref": f"#/$defs/D{n + 1}"} for key in ("a", "b")}}
        for n in range(60)
    }
    schema = {"type": "object", "properties": {"a": {"$ref": "#/$defs/D0"}}, "$defs": chain | {"D60": {"type": "null"}}}
    SchemaSupport(depth=70).check(AnswerSchema(schema).schema, "gpt")


@given(cases())
def test_an_answer_that_fits_comes_back(case: Case) -> None:
    """Law: data that fits is read as it is; as a strict API gives it (null for what is absent), it is the same, but for nulls."""
    schema = AnswerSchema(case.schema)
    assert schema.read(one_line(case.data)) == case.data
    given = filled(case.data, case.schema, case.schema)
    assert without_nulls(schema.read(one_line(given))) == without_nulls(case.data)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3)))
def test_one_line_is_a_line(data: Any) -> None:
    """Law: data of any text is one line for every program that splits lines, and reads back as it is."""
    text = one_line(data)
    assert len(text.splitlines()) == 1
    assert json.loads(text) == data
