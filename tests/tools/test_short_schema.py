"""The short form of a schema: laws, and what is refused."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asstproxy.core.answer_schema import AnswerSchema
from asstproxy.core.errors import UsageError
from asstproxy.tools.short_schema import TYPES, short_schema

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,9}", fullmatch=True)
WORDS = st.text(st.characters(blacklist_characters=",:\n\r", blacklist_categories=("C", "Z")), min_size=1, max_size=9)
FIELDS = st.dictionaries(NAMES, st.tuples(st.sampled_from([None, *TYPES]), st.none() | WORDS), min_size=1, max_size=5)
Fields = dict[str, tuple[str | None, str | None]]


def _written(fields: Fields, between: str, space: str) -> str:
    parts = [
        f"{space}{name}{f' {space}{kind}' if kind else ''}{f'{space}: {words}' if words else ''}{space}"
        for name, (kind, words) in fields.items()
    ]
    return between.join(parts)


@given(FIELDS, st.sampled_from([",", "\n"]), st.sampled_from(["", " ", "  "]))
def test_fields_are_read_as_written(fields: Fields, between: str, space: str) -> None:
    """Law: names in order, their types and descriptions, all required; spaces mean nothing; the result is a JSON Schema."""
    schema = short_schema(_written(fields, between, space))
    wanted: dict[str, Any] = {}
    for name, (kind, words) in fields.items():
        wanted[name] = {"type": TYPES[kind or "str"]} | ({"description": words} if words else {})
    assert schema["properties"] == wanted
    assert list(schema["properties"]) == schema["required"] == list(fields)
    AnswerSchema(schema)


@given(st.text(max_size=40))
def test_any_text_is_a_schema_or_refused(text: str) -> None:
    """Law: what is refused is refused with a `UsageError`, and what is not is a JSON Schema."""
    with contextlib.suppress(UsageError):
        AnswerSchema(short_schema(text))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "The schema has no fields."),
        (" , ", "The schema has no fields."),
        ("name strng", "Invalid field in the schema: 'name strng'."),
        ("name str int", "Invalid field in the schema: 'name str int'."),
        ("first name str", "Invalid field in the schema: 'first name str'."),
        ("2nd", "Invalid field in the schema: '2nd'."),
        (": words", "Invalid field in the schema: ': words'."),
        ("name, age int, name", "The schema has the field 'name' twice."),
    ],
)
def test_what_is_no_field_is_named(text: str, words: str) -> None:
    """The message quotes the field, and the hint shows the form."""
    with pytest.raises(UsageError) as caught:
        short_schema(text)
    assert str(caught.value) == words
    assert caught.value.hint


def test_lines_allow_commas_in_descriptions() -> None:
    """As `llm` reads it."""
    schema = short_schema("name: first, then last\nage int: in years, rounded")
    assert schema["properties"]["name"]["description"] == "first, then last"
    assert schema["properties"]["age"] == {"type": "integer", "description": "in years, rounded"}
