"""Signatures as people write them: each becomes a schema that is JSON, and a call that works."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, NotRequired, Optional, TypedDict, Union

import pytest
from pydantic import Field

from asstproxy import UsageError
from asstproxy.tools import as_tool, run_tool

from .schemas import assert_portable


class Point(TypedDict):
    """A point on the map."""

    x: int
    y: NotRequired[str]


class Named(Point, total=False):
    name: str


@dataclass
class Spot:
    y: int


class Tree(TypedDict):
    leaf: str
    branches: list[Tree]


def properties(function: Callable[..., Any]) -> Any:
    """What the assistant sees of the parameters; it is portable, and JSON."""
    parameters = as_tool(function).parameters
    assert_portable(parameters)
    json.dumps(parameters, allow_nan=False)
    return parameters["properties"]


async def result(function: Callable[..., Any], **arguments: Any) -> str:
    """The result of a call, as the assistant gets it; "Invalid…" if it is refused."""
    outcome = await run_tool(as_tool(function), json.dumps(arguments))
    return outcome.error or outcome.output


def draw(
    point: Point,
    more: list[Point] = [],  # noqa: B006 - people write it
    named: Optional[Named] = None,  # noqa: UP045
    by_name: dict[str, Annotated[Point, "a corner"]] | None = None,
    either: Union[Point, int] = 1,  # noqa: UP007
) -> str:
    return repr((point, more, named, by_name, either))


async def test_a_typed_dict_of_typing() -> None:
    """Alone, in a list, a dict, a union; its keys, required or not, are known, and what is wrong in it is refused."""
    seen = properties(draw)
    point = seen["point"]
    assert (set(point["properties"]), point["required"]) == ({"x", "y"}, ["x"])
    assert point["description"] == "A point on the map."
    assert set(seen["more"]["items"]["properties"]) == {"x", "y"}
    named = seen["named"]["anyOf"][0]
    assert (set(named["properties"]), named["required"]) == ({"x", "y", "name"}, ["x"])
    assert await result(draw, point={"x": 1}, more=[{"x": 2, "y": "z"}], by_name={"a": {"x": 3}}) == (
        "({'x': 1}, [{'x': 2, 'y': 'z'}], None, {'a': {'x': 3}}, 1)"
    )
    assert "point.x: Field required" in await result(draw, point={})
    assert "unknown parameter" in await result(draw, point={"x": 1, "z": 1})


async def test_typed_dicts_within_themselves_and_local_ones() -> None:
    """A tree is described to the first branch; a class of the enclosing function is found."""

    class Here(TypedDict):
        point: Point

    def grow(tree: Tree, here: Here) -> str:
        return f"{tree} {here}"

    assert set(properties(grow)["tree"]["properties"]) == {"leaf", "branches"}
    assert await result(
        grow, tree={"leaf": "a", "branches": [{"leaf": "b", "branches": []}]}, here={"point": {"x": 1}}
    ) == ("{'leaf': 'a', 'branches': [{'leaf': 'b', 'branches': []}]} {'point': {'x': 1}}")


class Doc:
    """As `typing_extensions.Doc` of PEP 727."""

    def __init__(self, documentation: str) -> None:
        self.documentation = documentation


async def test_names_in_quotes_within_a_type() -> None:
    """Of a TypedDict or a dataclass, in a list, a dict, a union; one that isn't defined is named."""

    def draw(
        many: list["Point"],  # noqa: UP037 - people write it
        named: dict[str, "Point"],  # noqa: UP037
        here: Union[int, list["Point"]] = 0,  # noqa: UP007, UP037
        to: Optional["Spot"] = None,  # noqa: UP037, UP045
    ) -> str:
        return f"{many} {named} {here} {to}"

    members = properties(draw)
    assert set(members["many"]["items"]["properties"]) == {"x", "y"}
    one = {"x": 1}
    assert await result(draw, many=[one], named={"a": one}, here=[one], to={"y": 2}) == (
        "[{'x': 1}] {'a': {'x': 1}} [{'x': 1}] Spot(y=2)"
    )

    def lost(a: list["Nowhere"]) -> None:  # type: ignore[name-defined]  # noqa: F821, UP037
        pass

    with pytest.raises(UsageError, match="The annotation of 'a' in 'lost' isn't defined at run time: name 'Nowhere'"):
        as_tool(lost)


async def test_annotated_may_hold_anything() -> None:
    """Also what has no hash, and also where the default takes null."""

    def weigh(
        a: Annotated[int, {"unit": "kg"}, "the weight"] = None,  # type: ignore[assignment]  # noqa: RUF013
        b: Annotated[list[int] | None, ["x"]] = None,
    ) -> str:
        return f"{a} {b}"

    assert properties(weigh)["a"]["description"] == "the weight"
    assert await result(weigh, a=None, b=[1]) == "None [1]"
    assert await result(weigh, a=2) == "2 None"


def test_words_in_annotated_describe_the_parameter() -> None:
    """A text, a `Doc`, a `Field`, in a union, too; they count more than the docstring."""

    def describe(  # noqa: D417 - the annotations describe the others
        a: Annotated[str, "the\n    first"],
        b: Annotated[int, Field(gt=0), "the second"] = 1,
        c: Annotated[str, Doc("the third")] = "",
        d: Annotated[str, "the fourth"] | None = None,
        e: Annotated[int, Field(description="the fifth", gt=0)] = None,  # type: ignore[assignment]  # noqa: RUF013
        f: Annotated[str, 5] = "",
    ) -> None:
        """Do it.

        Args:
            a: From the docstring.
            f: The sixth.
        """

    seen = {name: member.get("description") for name, member in properties(describe).items()}
    assert seen == {
        "a": "the first",
        "b": "the second",
        "c": "the third",
        "d": "the fourth",
        "e": "the fifth",
        "f": "The sixth.",
    }


async def test_a_default_of_none_takes_null() -> None:
    """Assistants send null for what they leave out; `= Field(None)` means the same."""

    def count(
        x: int = None,  # type: ignore[assignment]  # noqa: RUF013
        y: list[int] = None,  # type: ignore[assignment]  # noqa: RUF013
        z: int = Field(None, gt=0),  # type: ignore[assignment]
        rest: Any = None,
        other: Annotated[int, Field(gt=0)] = None,  # type: ignore[assignment]  # noqa: RUF013
    ) -> list[Any]:
        return [x, y, z, rest, other]

    seen = properties(count)
    assert seen["x"] == {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None}
    assert seen["rest"] == {"default": None}
    assert await result(count, x=None, y=None, z=None, rest=None, other=None) == "[null,null,null,null,null]"
    assert await result(count) == "[null,null,null,null,null]"
    assert await result(count, x=1, y=[2], z=3, rest={}, other=4) == "[1,[2],3,{},4]"
    assert "z: Input should be greater than 0" in await result(count, z=0)


async def test_defaults_that_json_lacks_are_told_in_words() -> None:
    """Infinity and NaN, alone and inside; the function gets its own default."""

    def limit(
        a: float = math.inf,
        b: float = math.nan,
        c: list[float] = [1, -math.inf],  # noqa: B006 - people write it
        d: float = Field(math.inf, gt=0),
    ) -> str:
        return repr((a, b, c, d))

    seen = properties(limit)
    assert seen["a"] == {"type": "number", "description": "(default: Infinity)"}
    assert seen["b"]["description"] == "(default: NaN)"
    assert "(default: [1, -Infinity])" in seen["c"]["description"]
    assert "default: Infinity" in seen["d"]["description"]
    assert not any("default" in member for member in seen.values())
    assert await result(limit) == "(inf, nan, [1, -inf], inf)"


@functools.singledispatch
def size(thing: Any, unit: str = "pieces") -> str:
    """Say how large it is."""
    return f"one {thing} {unit}"


@size.register
def _(thing: list, unit: str = "pieces") -> str:  # type: ignore[type-arg]
    return f"{len(thing)} {unit}"


@size.register
def _(thing: int, unit: str = "pieces") -> str:
    return f"number {thing} {unit}"


async def test_a_function_with_single_dispatch() -> None:
    """It needs its first argument by position."""
    assert as_tool(size).description == "Say how large it is."
    assert await result(size, thing=[1, 2], unit="items") == "2 items"
    assert await result(size, thing=5) == "number 5 pieces"
    assert await result(size, thing="x") == "one x pieces"


class Described:
    """What the class says."""

    def __call__(self, a: int) -> int:
        return a


class Itself:
    """What the class says."""

    def __call__(self, a: int) -> int:
        """What the call says."""
        return a


class Silent:
    def __call__(self, a: int) -> int:
        return a


def silent(a: int) -> int:
    return a


@pytest.mark.parametrize(
    ("function", "description"),
    [
        (Described(), "What the class says."),
        (Itself(), "What the call says."),
        (Silent(), ""),
        (silent, ""),
        (functools.partial(silent), ""),
        (functools.partial(Described()), "What the class says."),
        (functools.lru_cache(silent), ""),
    ],
)
async def test_the_description_of_what_has_no_docstring(function: Any, description: str) -> None:
    """An object is described by its class, and never by Python's own words about calls."""
    declared = as_tool(function)
    assert declared.description == description
    assert await result(function, a=1) == "1"


def test_a_typed_dict_with_an_unknown_type_is_refused_with_the_reason() -> None:
    """The tool and the type are named."""

    class Broken(TypedDict):
        x: Missing  # type: ignore[name-defined]  # noqa: F821

    def use(broken: Broken) -> None: ...

    with pytest.raises(UsageError, match=r"'use'.*Missing"):
        as_tool(use)
