"""Schemas of others (MCP servers, people who write them by hand), in words that every provider takes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asstproxy import UsageError
from asstproxy.tools.foreign_schema import portable_foreign
from asstproxy.tools.portable_schema import portable

from .schemas import assert_portable


def rewritten(schema: dict[str, Any]) -> Any:
    """The schema of one property, rewritten."""
    result = portable("t", {"properties": {"p": schema}, "$defs": DEFINITIONS})
    assert_portable(result)
    return result["properties"]["p"]


DEFINITIONS = {
    "Tree": {
        "type": "object",
        "properties": {"leaf": {"type": "string"}, "branches": {"type": "array", "items": {"$ref": "#/$defs/Tree"}}},
    },
    "Alias": {"$ref": "#/$defs/Tree", "description": "Another word."},
    "a/b~c d": {"type": "integer"},
}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"const": "a", "type": "string", "title": "T"}, {"type": "string", "enum": ["a"]}),
        ({"oneOf": [{"type": "null"}, {"const": 1}]}, {"anyOf": [{"type": "null"}, {"enum": [1]}]}),
        ({"type": "integer", "exclusiveMinimum": 0}, {"type": "integer", "minimum": 1}),
        ({"type": "integer", "exclusiveMaximum": 9.5, "maximum": 20}, {"type": "integer", "maximum": 9}),
        ({"type": "number", "exclusiveMinimum": 0}, {"type": "number", "description": "(more than 0)"}),
        ({"type": "string", "format": "date-time"}, {"type": "string", "format": "date-time"}),
        ({"type": "array"}, {"type": "array", "items": {}}),
        ({"type": ["array", "null"]}, {"type": ["array", "null"], "items": {}}),
        (
            {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "minItems": 2},
            {
                "type": "array",
                "minItems": 2,
                "items": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
                "description": "(in this order: integer, string)",
            },
        ),
        ({"type": "array", "items": [{"type": "integer"}]}, {"type": "array", "items": {"type": "integer"}}),
        (
            {"type": "string", "pattern": "^a", "minLength": 2, "description": "A word."},
            {"type": "string", "description": "A word. (pattern: ^a; at least 2 characters)"},
        ),
        (
            {"type": "object", "patternProperties": {"^x": {"type": "integer"}}},
            {"type": "object", "additionalProperties": {"anyOf": [{"type": "integer"}]}},
        ),
        (
            {"allOf": [{"type": "object", "required": ["a"]}, {"properties": {"a": {"type": "null"}, "b": True}}]},
            {"type": "object", "properties": {"a": {"type": "null"}, "b": {}}, "required": ["a"]},
        ),
        ({"$ref": "#/$defs/a~1b~0c%20d"}, {"type": "integer"}),
        ({"$ref": "#/$defs/a~1b~0c d", "description": "Here."}, {"type": "integer", "description": "Here."}),
        (
            {"$ref": "#/$defs/Alias"},
            {
                "type": "object",
                "description": "Another word.",
                "properties": {
                    "leaf": {"type": "string"},
                    "branches": {
                        "type": "array",
                        "items": {"type": "object", "description": "Again a Tree, as above."},
                    },
                },
            },
        ),
    ],
)
def test_what_not_every_provider_knows_is_said_otherwise(schema: dict[str, Any], expected: dict[str, Any]) -> None:
    """By a plain equivalent if there is one, else in words; references are replaced by what they refer to."""
    assert rewritten(schema) == expected


def test_the_top_may_be_a_reference() -> None:
    """What is refused is an object that is none, not one that stands elsewhere."""
    assert portable("t", {"$ref": "#/$defs/Tree", "$defs": DEFINITIONS})["properties"]["leaf"] == {"type": "string"}
    assert portable("t", {"type": "object"}) == {"type": "object", "properties": {}}


def doubling(levels: int) -> dict[str, Any]:
    """Each level refers twice to the next: 2ⁿ nodes when written out."""
    refs = [{"$ref": f"#/$defs/{n}"} for n in range(levels + 1)]
    return {
        "properties": {"p": refs[0]},
        "$defs": {str(n): {"properties": {"a": refs[n + 1], "b": refs[n + 1]}} for n in range(levels)}
        | {str(levels): {"type": "null"}},
    }


def nested(levels: int) -> dict[str, Any]:
    """A list in a list in a list."""
    schema: dict[str, Any] = {"type": "null"}
    for _ in range(levels):
        schema = {"type": "array", "items": schema}
    return {"properties": {"p": schema}}


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ({"type": "array"}, "aren't a JSON object"),
        ({}, "aren't a JSON object"),
        ({"type": "object", "anyOf": [{"required": ["a"]}]}, "have 'anyOf' at the top"),
        ({"type": "object", "oneOf": [{"required": ["a"]}]}, "have 'anyOf' at the top"),
        ({"properties": {"p": {"$ref": "#/$defs/Gone"}}}, r"refers to '#/\$defs/Gone'"),
        ({"properties": {"p": {"$ref": "https://example.com/schema"}}}, "refers to 'https://example.com/schema'"),
        ({"properties": {"p": {"type": "any"}}}, r'has {"type": "any"}, which isn\'t valid JSON schema'),
        ({"properties": {"p": {"enum": []}}}, "isn't valid JSON schema"),
        ({"properties": {"p": {"minItems": "2"}}}, "isn't valid JSON schema"),
        (doubling(30), "too large or too deep"),
        (nested(500), "too large or too deep"),
    ],
)
def test_what_has_no_such_form_is_refused(schema: dict[str, Any], reason: str) -> None:
    """With the reason, and without taking for ever."""
    with pytest.raises(UsageError, match=reason):
        portable("t", schema)


KEYWORDS = [
    *[
        "type",
        "enum",
        "const",
        "anyOf",
        "oneOf",
        "allOf",
        "properties",
        "required",
        "items",
        "prefixItems",
        "additionalProperties",
    ],
    *[
        "patternProperties",
        "$ref",
        "description",
        "format",
        "pattern",
        "minimum",
        "exclusiveMinimum",
        "uniqueItems",
        "default",
        "examples",
    ],
]
rubbish = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["object", "array", "#", "#/properties/p", "x"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYWORDS) | st.text(), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(KEYWORDS), rubbish, max_size=6))
def test_any_rubbish_is_rewritten_or_refused(schema: dict[str, Any]) -> None:
    """A server may send anything: it fails in one way only."""
    try:
        result = portable("t", schema)
    except UsageError:
        return
    assert_portable(result)
    assert portable("t", result) == result


@given(st.dictionaries(st.sampled_from(KEYWORDS), rubbish | st.floats(), max_size=6) | rubbish)
def test_any_schema_of_a_server_is_made_portable(schema: Any) -> None:
    """Unless its arguments aren't an object; and what comes out is JSON that a program could declare."""
    try:
        result = portable_foreign("t", schema)
    except UsageError as error:
        assert "aren't a JSON object" in str(error)  # noqa: PT017 - both are right
        return
    assert_portable(result)
    json.dumps(result, allow_nan=False)
    assert portable("t", result) == result
