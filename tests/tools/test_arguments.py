"""The arguments of a call: what is taken, what is refused, and how a person writes them."""

from __future__ import annotations

import contextlib
import json
import time
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from asstproxy import ToolError, UsageError
from asstproxy.tools import as_tool, from_pairs, run_tool
from asstproxy.tools.arguments import parse


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "not JSON"),
        ("{'a': 1}", "not JSON"),
        ("[1]", "not a JSON object but an array"),
        ('"a"', "not a JSON object but a string"),
        ("3", "not a JSON object but a number"),
        ("null", "not a JSON object but null"),
        ('{"a": NaN}', "NaN isn't a JSON number"),
        ('{"a": -Infinity}', "-Infinity isn't a JSON number"),
        ('{"path": "mine", "path": "yours"}', "the key 'path' twice"),
        ('{"a": ' + "9" * 5000 + "}", "not JSON"),
        ('{"a":' * 65 + "1" + "}" * 65, "nested too deeply"),
        ('{"a":' + "[" * 100_000 + "]" * 100_000 + "}", "nested too deeply"),
        ('{"a": "' + "x" * 10_000_000 + '"}', r"10,000,009 characters; the limit is 1,048,576"),
    ],
    ids=lambda value: value[:20],
)
async def test_what_is_no_object_within_the_limits_is_refused(text: str, reason: str) -> None:
    """At once, and in words that the assistant can act on; the function is not called."""

    def never(a: Any = None, path: str = "") -> None:
        raise AssertionError

    began = time.monotonic()
    outcome = await run_tool(as_tool(never), text)
    assert reason in (outcome.error or "")
    assert len(outcome.error or "") < 300
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("text", ["", "  \n", "{}"])
def test_no_text_is_no_arguments(text: str) -> None:
    """Some models send nothing for a function without parameters."""
    assert parse(text) == {}


def test_sixty_four_levels_are_not_too_deep() -> None:
    """The limit is where it says."""
    text = '{"a":' * 64 + "1" + "}" * 64
    assert parse(text) == json.loads(text)


@given(st.text() | st.text('{}[]":,0123456789.eE-+ntrufalse \\u'))
@example('{"\ud800": "\ud83d"}')
def test_any_text_is_taken_or_refused(text: str) -> None:
    """There is one way to fail."""
    with contextlib.suppress(ToolError):
        assert isinstance(parse(text), dict)


def move(to: str, steps: int, path: list[str] | None = None, note: str | None = None, any_: Any = None) -> None:
    """Move."""


@pytest.mark.parametrize(
    ("pairs", "text", "expected"),
    [
        (["to=5", "steps=5"], "", {"to": "5", "steps": 5}),
        (["to=", "steps=many"], "", {"to": "", "steps": "many"}),
        (["to=a=b", 'path=["x"]'], '{"to": "c", "steps": 1}', {"to": "a=b", "steps": 1, "path": ["x"]}),
        (["path=null", "note=null", "note=3"], "", {"path": None, "note": "3"}),
        (["note=null"], "", {"note": None}),
        (["any_=[1]", "unknown=x"], "", {"any_": [1], "unknown": "x"}),
        (["steps=NaN"], "", {"steps": "NaN"}),
    ],
)
def test_a_person_writes_pairs(pairs: list[str], text: str, expected: dict[str, Any]) -> None:
    """Text where the parameter is text, else JSON where it is JSON; what does not fit is for the tool to say."""
    assert json.loads(from_pairs(pairs, as_tool(move).parameters, text)) == expected


@pytest.mark.parametrize(("pairs", "text"), [(["to"], ""), (["=x"], ""), ([], "[1]"), ([], "{")])
def test_a_pair_without_its_sign_is_wrong_usage(pairs: list[str], text: str) -> None:
    """So is JSON that is no object."""
    with pytest.raises(UsageError):
        from_pairs(pairs, {}, text)
