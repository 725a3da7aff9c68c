"""Any signature → schema → arguments → call: the function gets what its annotations say."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
import enum
import inspect
import json
import uuid
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field, TypeAdapter

from asstproxy.tools import Outcome, Tool, as_tool, run_tool

from .schemas import assert_portable, fits


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Leaf(BaseModel):
    """A leaf."""

    size: Annotated[int, Field(gt=0)]
    name: str | None = None


@dataclasses.dataclass(frozen=True)
class Branch:
    leaves: tuple[Leaf, ...]
    angle: float = 0.0


small = st.integers(-1000, 1000)
words = st.text('abc é"\\\n', max_size=5)
leaves = st.builds(Leaf, size=st.integers(1, 9), name=st.none() | words)
KINDS: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (int, st.integers(-(2**70), 2**70)),
    (float, st.floats(allow_nan=False, allow_infinity=False)),
    (bool, st.booleans()),
    (str, words),
    (dt.date, st.dates()),
    (dt.datetime, st.datetimes(timezones=st.just(dt.UTC))),
    (dt.time, st.times()),
    (dt.timedelta, st.timedeltas(dt.timedelta(0), dt.timedelta(days=999))),
    (Decimal, st.decimals(-1000, 1000, places=3)),
    (uuid.UUID, st.uuids()),
    (Path, st.builds(Path, st.text("abc/", min_size=1))),
    (Level, st.sampled_from(Level)),
    (Literal["a", 2] | None, st.sampled_from(["a", 2, None])),
    (int | None, st.none() | small),
    (str | int | list[bool], words | small | st.lists(st.booleans())),
    (list[dt.date], st.lists(st.dates(), max_size=3)),
    (set[int], st.sets(small, max_size=3)),
    (frozenset[str], st.frozensets(words, max_size=3)),
    (tuple[int, str], st.tuples(small, words)),
    (tuple[float, ...], st.lists(st.floats(-9, 9), max_size=3).map(tuple)),
    (dict[str, list[int]], st.dictionaries(words, st.lists(small, max_size=2), max_size=3)),
    (dict[int, bool], st.dictionaries(small, st.booleans(), max_size=3)),
    (Annotated[int, Field(ge=0, lt=10, description="A digit.")], st.integers(0, 9)),
    (Annotated[str, Field(pattern="^[a-c]+$", max_length=4)], st.text("abc", min_size=1, max_size=4)),
    (Leaf, leaves),
    (Branch, st.builds(Branch, leaves=st.lists(leaves, max_size=2).map(tuple), angle=st.floats(-9, 9))),
    (Leaf | Branch | None, leaves | st.none()),
]
NAMES = ["x", "y", "_z", "json", "schema", "copy", "model_config", "self", "args", "p0", "p1", "naïve"]
ORDER = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


class Case(NamedTuple):
    """A function, the values to call it with, and where it writes down what it was called with."""

    function: Callable[..., Any]
    signature: inspect.Signature
    values: dict[str, Any]
    hints: dict[str, Any]
    calls: list[inspect.BoundArguments]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Any parameters of any kind, with and without defaults; arguments for all that need one and some that do not."""
    parameters: list[inspect.Parameter] = []
    values: dict[str, Any] = {}
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=5))
    kinds = sorted(draw(st.lists(st.sampled_from(ORDER), min_size=len(names), max_size=len(names))))
    optional = False
    for name, kind in zip(names, kinds, strict=True):
        hint, strategy = draw(st.sampled_from(KINDS))
        optional = draw(st.booleans()) or (optional and kind is not inspect.Parameter.KEYWORD_ONLY)
        default = draw(strategy) if optional else inspect.Parameter.empty
        parameters.append(inspect.Parameter(name, kind, annotation=hint, default=default))
        if not optional or draw(st.booleans()):
            values[name] = draw(strategy)
    signature = inspect.Signature(parameters)
    calls: list[inspect.BoundArguments] = []
    is_async = draw(st.booleans())

    def record(*args: Any, **kwargs: Any) -> None:
        calls.append(signature.bind(*args, **kwargs))

    async def record_later(*args: Any, **kwargs: Any) -> None:
        record(*args, **kwargs)

    function: Any = record_later if is_async else record
    hints = {parameter.name: parameter.annotation for parameter in parameters}
    function.__signature__, function.__annotations__ = signature, hints
    return Case(function, signature, values, hints, calls)


def run(tool: Tool, arguments: str) -> Outcome:
    """Run a tool, in a loop of its own."""
    return asyncio.run(run_tool(tool, arguments))


@given(cases())
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_the_function_gets_equal_values_of_the_same_types(case: Case) -> None:
    """Values become JSON, fit the schema that the assistant was shown, and come out as they went in."""
    tool = as_tool(case.function)
    assert_portable(tool.parameters)
    plain = {name: TypeAdapter(case.hints[name]).dump_python(value, mode="json") for name, value in case.values.items()}
    text = json.dumps(plain)
    assert fits(json.loads(text), tool.parameters), (text, tool.parameters)

    outcome = run(tool, text)

    assert outcome.error is None, outcome.error
    (called,) = case.calls
    called.apply_defaults()
    for name, value in called.arguments.items():
        expected = case.values.get(name, case.signature.parameters[name].default)
        assert value == expected, name
        assert type(value) is type(expected) or isinstance(value, Path), name


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(cases(), st.dictionaries(st.sampled_from([*NAMES, "other"]), json_values, max_size=4))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_whatever_an_assistant_sends_the_types_hold(case: Case, sent: dict[str, Any]) -> None:
    """Either the assistant is told what does not fit, or the function gets values of its types."""
    outcome = run(as_tool(case.function), json.dumps(sent))
    if outcome.error is not None:
        assert not case.calls
        assert outcome.error.startswith(("The arguments ", "Invalid arguments: "))
        return
    (called,) = case.calls
    assert set(called.arguments) >= set(sent)
    for name in sent:
        adapter: TypeAdapter[Any] = TypeAdapter(case.hints[name])
        assert adapter.validate_python(called.arguments[name]) == called.arguments[name]
