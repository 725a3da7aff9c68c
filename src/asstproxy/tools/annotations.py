"""What the annotations of a function mean, beyond what pydantic reads by itself.

- pydantic refuses `typing.TypedDict` before Python 3.12 (it can't see which keys are required), so an equal one of
  `typing_extensions` takes its place.
- A text in `Annotated[str, "a name"]`, PEP 727's `Doc("a name")` or `Field(description="a name")` describes the parameter.
- `x: int = None` takes null: type checkers read it so no longer, but functions are still written so.
"""

from __future__ import annotations

import sys
import types
import typing
from collections.abc import Mapping
from typing import Annotated, Any, Literal, NotRequired, Required, Union, get_args, get_origin

__all__ = ["description_of", "or_none", "with_readable_types", "without_quotes"]

_UNIONS = (Union, types.UnionType)


def description_of(hint: Any) -> str:
    """The words in `Annotated`, also in that of a member of a union; "" if there are none."""
    if get_origin(hint) is Annotated:
        for extra in hint.__metadata__:
            for text in (extra, getattr(extra, "documentation", None), getattr(extra, "description", None)):
                if isinstance(text, str) and text.strip():
                    return " ".join(text.split())
        return description_of(get_args(hint)[0])
    if get_origin(hint) in _UNIONS:
        return next(filter(None, map(description_of, get_args(hint))), "")
    return ""


def or_none(hint: Any) -> Any:
    """The type that also takes None."""
    if hint is Any or hint is object:
        return hint
    try:
        return Union[hint, None]  # noqa: UP007 - `|` fails for some hints
    except TypeError:  # `Annotated[int, {"unit": "kg"}]` has no hash
        inner, *extras = get_args(hint)
        return Annotated[(or_none(inner), *extras)]


def without_quotes(hint: Any, module: Mapping[str, Any], local: Mapping[str, Any]) -> Any:
    """The type with each name in quotes (`list["Point"]`) replaced by what it names in the module of a function, or in `local`.

    Raises:
        NameError: it isn't defined at run time.
    """
    quoting = types.SimpleNamespace(__annotations__={"hint": hint})
    return typing.get_type_hints(quoting, dict(module), dict(local), include_extras=True)["hint"]


def with_readable_types(hint: Any, local: Mapping[str, Any]) -> Any:
    """The type with each `typing.TypedDict` in it replaced by one that pydantic reads.

    `local` has the names, besides those of the class's module, that its annotations may use.

    Raises:
        NameError: an annotation in a TypedDict isn't defined at run time.
    """
    return hint if sys.version_info >= (3, 12) else _converted(hint, local, {})


def _converted(hint: Any, local: Mapping[str, Any], known: dict[Any, Any]) -> Any:
    if typing.is_typeddict(hint) and type(hint).__module__ == "typing":
        return _typed_dict(hint, local, known)
    origin, given = get_origin(hint), get_args(hint)
    if not given or origin is Literal:
        return hint
    if origin is Annotated:
        inner = _converted(given[0], local, known)
        return hint if inner is given[0] else Annotated[(inner, *hint.__metadata__)]
    converted = tuple(_converted(one, local, known) for one in given)
    if all(new is old for new, old in zip(converted, given, strict=True)):
        return hint
    if origin in _UNIONS:
        return Union[converted]  # noqa: UP007 - a tuple
    if isinstance(hint, types.GenericAlias):
        return types.GenericAlias(get_origin(hint), converted)
    return hint.copy_with(converted)


def _typed_dict(hint: Any, local: Mapping[str, Any], known: dict[Any, Any]) -> Any:
    if hint in known:
        return known[hint]
    import typing_extensions

    known[hint] = dict[str, Any]  # what it is inside itself: a tree, say
    members: dict[str, Any] = {}
    for key, member in typing.get_type_hints(hint, localns=dict(local), include_extras=True).items():
        mark = get_origin(member)
        if mark not in (Required, NotRequired):
            mark = NotRequired if key in hint.__optional_keys__ else Required
            member = mark[member]  # noqa: PLW2901
        members[key] = mark[_converted(get_args(member)[0], local, known)]
    known[hint] = typing_extensions.TypedDict(hint.__name__, members)  # type: ignore[operator]  # made at run time
    known[hint].__doc__, known[hint].__module__ = hint.__doc__, hint.__module__
    return known[hint]
