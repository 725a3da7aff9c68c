"""What a tool returns, as the text that the assistant gets."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import json
import math
import uuid
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from asstproxy import ToolError
from asstproxy.tools.serialize import serialize, truncate


class Model(BaseModel):
    day: dt.date


@dataclasses.dataclass
class Data:
    models: list[Model]


class Word(enum.Enum):
    YES = "yes"


class Strange:
    def __str__(self) -> str:
        return "strange"


class Numpy:
    def tolist(self) -> list[float]:
        return [1.5, math.nan]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("as it is\n", "as it is\n"),
        (None, "null"),
        (True, "true"),
        (1.5, "1.5"),
        (math.nan, '"NaN"'),
        ([math.inf, -math.inf], '["Infinity","-Infinity"]'),
        (10**40, "1" + "0" * 40),
        (Decimal("1.10"), '"1.10"'),
        (dt.datetime(2026, 11, 22, 19, 45, tzinfo=dt.UTC), '"2026-11-22T19:45:00Z"'),
        (dt.timedelta(seconds=90), '"PT1M30S"'),
        (Data([Model(day=dt.date(2026, 11, 22))]), '{"models":[{"day":"2026-11-22"}]}'),
        ({Word.YES: (1, 2)}, '{"yes":[1,2]}'),
        ({3}, "[3]"),
        pytest.param((n for n in range(3)), "[0,1,2]", id="generator"),
        (uuid.UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
        (PurePosixPath("a/b"), '"a/b"'),
        pytest.param(
            {dt.date(2026, 1, 1): Strange(), None: Numpy()},
            '{"2026-01-01":"strange","None":[1.5,"NaN"]}',
            id="words",
        ),
        (b"text", "text"),
        (b"\xff\x00", "_wA="),
        ({"b": b"text", "c": b"\xff"}, '{"b":"dGV4dA==","c":"_w=="}'),
        (bytearray(b"ab"), "ab"),
        (ValueError("why"), '"why"'),
        ("half \ud800", "half \N{REPLACEMENT CHARACTER}"),
        ({"a": ["\ud800"]}, '{"a":["\N{REPLACEMENT CHARACTER}"]}'),
    ],
    ids=repr,
)
def test_values_become_what_they_mean(value: Any, text: str) -> None:
    """Anything that JSON can say is said in JSON, and what it cannot say, in words."""
    assert serialize(value) == text


def circle() -> list[Any]:
    """A list that holds itself."""
    values: list[Any] = []
    values.append(values)
    return values


def tower() -> list[Any]:
    """A list within ten thousand lists."""
    values: list[Any] = []
    for _ in range(10_000):
        values = [values]
    return values


@pytest.mark.parametrize("value", [circle(), tower(), {frozenset({1}): 2}], ids=["circle", "tower", "key"])
def test_what_json_cannot_say_is_an_error(value: Any) -> None:
    """The assistant is told what came instead of a result."""
    with pytest.raises(ToolError, match=r"The tool returned a (list|dict) that JSON can't represent: "):
        serialize(value)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=()))
        | st.binary() | st.decimals() | st.datetimes() | st.uuids() | st.complex_numbers(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3) | st.tuples(inner),
        max_leaves=6,
    )
)  # fmt: skip
def test_every_result_is_json_that_utf_8_can_say(value: Any) -> None:
    """What no rule was made for becomes its `str`."""
    text = serialize(value)
    text.encode()
    if not isinstance(value, str | bytes):
        json.loads(text, parse_constant=pytest.fail)


@given(st.text(), st.integers(256, 400))
def test_a_cut_text_says_so_and_keeps_to_the_limit(start: str, limit: int) -> None:
    """Whole characters, from the beginning; what fits is left alone."""
    short = truncate(start[:20], limit)
    assert short == start[:20]
    text = start + "é€𝄞" * 200
    result = truncate(text, limit)
    kept, note = result.split("\n[Cut: ") if "\n[Cut: " not in text else (text, "")
    assert text.startswith(kept)
    assert len(result.encode()) <= limit
    assert note.startswith(f"these are the first of {len(text.encode()):,} bytes")
