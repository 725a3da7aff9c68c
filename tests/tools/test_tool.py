"""Declaring a tool: what a function's signature and docstring become, and what is refused, with the reason."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import functools
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Literal, Optional

import pytest
from pydantic import BaseModel, Field

from asstproxy import Tool, UsageError, tool
from asstproxy.tools import as_tool, run_tool

from .schemas import assert_portable

if TYPE_CHECKING:
    from fractions import Fraction


class Colour(enum.Enum):
    """A colour."""

    RED = "red"
    BLUE = "blue"


class Point(BaseModel):
    """A point on the map."""

    x: int = Field(description="East.", ge=0)
    y: int = 0


@dataclasses.dataclass
class Route:
    points: list[Point]
    name: str = "unnamed"


def everything(  # noqa: D417 - the rest needs no words
    route: Route,
    colour: Colour = Colour.RED,
    day: Optional[dt.date] = None,  # noqa: UP045 - the old way of writing it works, too
    *,
    kind: Literal["car", "bike"],
    share: Annotated[float, Field(gt=0, lt=1, description="Which part of it.")] = 0.5,
    stops: Annotated[set[int], Field(max_length=3)] = frozenset(),  # type: ignore[assignment]
) -> str:
    """Plan a route.

    It goes through all points.

    Args:
        route: Where to go.
        colour: The line's colour,
            on the map.
        day: When.
        share: What the docstring says.

    Returns:
        The plan.
    """
    return f"{route=} {colour=} {day=} {kind=} {share=} {stops=}"


def test_the_schema_tells_what_the_signature_says() -> None:
    """Types, defaults, constraints, enums, nested models and descriptions are there, in words every provider knows."""
    declared = as_tool(everything)
    assert declared.name == "everything"
    assert declared.description == "Plan a route.\n\nIt goes through all points.\n\nReturns: The plan."
    assert_portable(declared.parameters)
    declared.parameters["properties"]["route"].pop("additionalProperties", None)  # newer pydantic adds it
    assert declared.parameters == {
        "type": "object",
        "additionalProperties": False,
        "required": ["route", "kind"],
        "properties": {
            "route": {
                "type": "object",
                "description": "Where to go.",
                "properties": {
                    "points": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "description": "A point on the map.",
                            "properties": {
                                "x": {"type": "integer", "description": "East.", "minimum": 0},
                                "y": {"type": "integer", "default": 0},
                            },
                            "required": ["x"],
                        },
                    },
                    "name": {"type": "string", "default": "unnamed"},
                },
                "required": ["points"],
            },
            "colour": {
                "type": "string",
                "enum": ["red", "blue"],
                "default": "red",
                "description": "The line's colour, on the map.",
            },
            "day": {
                "anyOf": [{"type": "string", "description": "(format: date)"}, {"type": "null"}],
                "default": None,
                "description": "When.",
            },
            "kind": {"type": "string", "enum": ["car", "bike"]},
            "share": {
                "type": "number",
                "default": 0.5,
                "description": "Which part of it. (more than 0; less than 1)",
            },
            "stops": {
                "type": "array",
                "items": {"type": "integer"},
                "maxItems": 3,
                "default": [],
                "description": "(no item twice)",
            },
        },
    }


async def test_the_function_gets_what_its_annotations_say() -> None:
    """Not JSON, but models, enums, dates, sets; a default that was not given is the function's own."""
    arguments = (
        '{"route": {"points": [{"x": 1}]}, "colour": "blue", "day": "2026-11-22", "kind": "car", "stops": [1, 2, 1]}'
    )
    outcome = await run_tool(as_tool(everything), arguments)
    assert outcome.output == (
        "route=Route(points=[Point(x=1, y=0)], name='unnamed') colour=<Colour.BLUE: 'blue'> "
        "day=datetime.date(2026, 11, 22) kind='car' share=0.5 stops={1, 2}"
    )


async def test_names_that_pydantic_keeps_for_itself_are_parameters_like_any_other() -> None:
    """`schema`, `copy`, `model_config`, `_x`: a person who writes a function need not know them."""

    def strange(schema: int, copy: str, model_config: bool, _x: int, self_: int, json: int = 3) -> Any:
        return [schema, copy, model_config, _x, self_, json]

    outcome = await run_tool(
        as_tool(strange), '{"schema": 1, "copy": "c", "model_config": true, "_x": 2, "self_": 5, "json": 4}'
    )
    assert outcome.output == '[1,"c",true,2,5,4]'


async def test_positional_only_parameters_have_names_to_an_assistant() -> None:
    """They are named in the call and given by position."""

    def divide(a: float, b: float = 2, /, *, digits: int = 1) -> float:
        return round(a / b, digits)

    assert (await run_tool(as_tool(divide), '{"a": 1, "digits": 3}')).output == "0.5"
    assert (await run_tool(as_tool(divide), '{"b": 3, "a": 1, "digits": 3}')).output == "0.333"


async def test_a_field_as_default_is_a_default() -> None:
    """`x: int = Field(5)` is read as pydantic users write it."""

    def count(x: int = Field(5, gt=0, description="How far."), y: Annotated[int, Field(7)] = Field()) -> int:
        return x + y

    declared = as_tool(count)
    assert declared.parameters["properties"]["x"] == {
        "type": "integer",
        "default": 5,
        "minimum": 1,
        "description": "How far.",
    }
    assert (await run_tool(declared, "{}")).output == "12"
    assert (await run_tool(declared, '{"x": 0}')).error == "Invalid arguments: x: Input should be greater than 0."


async def test_types_that_are_defined_where_the_function_is() -> None:
    """Local classes work, although annotations are strings here."""

    class Here(BaseModel):
        n: int

    def use(here: Here, more: list[Here]) -> int:
        return here.n + len(more)

    assert (await run_tool(as_tool(use), '{"here": {"n": 2}, "more": [{"n": 1}]}')).output == "3"


class Till:
    def __init__(self) -> None:
        self.total = Decimal(0)

    def add(self, amount: Decimal) -> Decimal:
        """Add an amount.

        :param amount: How much.
        """
        self.total += amount
        return self.total

    def __call__(self, text: str) -> str:
        """Say it louder."""
        return text.upper()


async def test_methods_partials_and_callable_objects() -> None:
    """Anything that can be called is a tool; what a partial has settled is nothing that the assistant sees."""
    add = as_tool(Till().add)
    assert add.parameters["properties"]["amount"]["description"] == "How much."
    assert (await run_tool(add, '{"amount": "1.10"}')).output == '"1.10"'

    assert as_tool(Till()).spec.name == "Till"
    assert (await run_tool(as_tool(Till()), '{"text": "a"}')).output == "A"

    def send(text: str, *, password: str) -> str:
        """Send it."""
        return f"{text} {len(password)}"

    sending = as_tool(functools.partial(send, password="sesame"))
    assert "sesame" not in str(sending.spec)
    assert sending.parameters["properties"] == {"text": {"type": "string"}}
    assert (await run_tool(sending, '{"text": "a", "password": "x"}')).error
    assert (await run_tool(sending, '{"text": "a"}')).output == "a 6"


def test_a_decorated_function_stays_what_it_is() -> None:
    """`@tool` marks; a test or another program calls the function as ever."""

    @tool
    def double(x: int) -> int:
        return 2 * x

    @tool(name="half", description="Halve it.", approval="always-ask", timeout=5, output_limit=1000)
    def halve(x: int) -> float:
        return x / 2

    assert (double(2), halve(3)) == (4, 1.5)
    declared = as_tool(halve)
    assert (declared.name, declared.description, declared.approval) == ("half", "Halve it.", "always-ask")
    assert (declared.timeout, declared.output_limit) == (5, 1000)
    assert as_tool(declared) is declared


@pytest.mark.parametrize(
    ("said", "approval", "expected"),
    [
        ({}, "never", "never"),
        ({}, "ask", "ask"),
        ({"read_only": True}, "ask", "never"),
        ({"approval": "never"}, "ask", "never"),
        ({"approval": "ask", "read_only": True}, "never", "ask"),
        ({"approval": "always-ask"}, "never", "always-ask"),
    ],
)
def test_who_decides_about_approval(said: dict[str, Any], approval: Any, expected: str) -> None:
    """The declaration; then that it only reads; then where it comes from."""

    @tool(**said)
    def act() -> None: ...

    assert as_tool(act, approval=approval).approval == expected


def _named(name: str) -> Callable[..., Any]:
    def function() -> None: ...

    function.__name__ = name
    return function


def _local() -> Callable[..., Any]:
    def use(a: Fraction) -> None: ...

    return use


def star(*args: int) -> None: ...
def stars(a: int, **kwargs: int) -> None: ...
def unknown(a: shutil) -> None: ...  # type: ignore[valid-type]
def callback(a: Callable[[int], int]) -> None: ...
def pieces() -> Iterator[int]:
    yield 1


async def async_pieces() -> AsyncIterator[int]:
    yield 1


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda x: x, r"'<lambda>' is refused by providers"),
        (_named("prüfen"), r"at most 64"),
        (_named("9lives"), r"begins with a letter"),
        (_named("a" * 65), r"at most 64"),
        (_named("a.b"), r"'a\.b'"),
        (star, r"takes '\*args', which can't be described to an assistant"),
        (stars, r"'\*\*kwargs'"),
        (Till.add, r"an unbound method"),
        (Till, r"'Till' isn't a function"),
        (3, r"isn't a function"),
        (pieces, r"is a generator"),
        (async_pieces, r"is a generator"),
        (unknown, r"'unknown' can't be described to an assistant: "),
        (callback, r"'callback' can't be described to an assistant: "),
        (_local(), r"annotation of 'a' in 'use' isn't defined at run time: .*Fraction"),
        (getattr, r"'getattr' can't be described"),
    ],
)
def test_what_cannot_be_a_tool_is_refused_with_the_reason(function: Any, reason: str) -> None:
    """When it is registered, and not by the provider in the middle of a conversation."""
    with pytest.raises(UsageError, match=reason):
        as_tool(function)


def test_what_providers_would_refuse_is_refused_when_it_is_said() -> None:
    """A bad name, a description that is too long, no time limit, an approval that does not exist."""
    with pytest.raises(UsageError, match="refused by providers"):
        tool(name="no spaces")(everything)
    with pytest.raises(UsageError, match="OpenAI accepts 1024"):
        as_tool(tool(description="x" * 1025)(_named("f")))
    with pytest.raises(UsageError, match="time limit"):
        as_tool(tool(timeout=0)(_named("f")))
    with pytest.raises(UsageError, match="Invalid approval of the tool"):
        as_tool(tool(approval="sometimes")(_named("f")))  # type: ignore[call-overload]
    with pytest.raises(UsageError, match="can't be declared"):
        tool(len)


async def test_a_tool_made_by_hand_has_the_schema_it_was_given() -> None:
    """Its arguments come by name, as JSON."""
    made = Tool("echo", "Say it.", {"type": "object", "properties": {"a": {"const": 1}}}, lambda **given: given)
    assert made.parameters["properties"] == {"a": {"enum": [1]}}
    assert (await run_tool(made, '{"a": [1.5]}')).output == '{"a":[1.5]}'
    with pytest.raises(UsageError, match="aren't a JSON object"):
        Tool("echo", "", {"type": "string"}, print)
