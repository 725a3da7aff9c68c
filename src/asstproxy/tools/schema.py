"""The JSON schema of a function's parameters, and the validation of its arguments, from its signature.

pydantic does both; it is imported when the first function is described. It gets the parameters under neutral names, with their
own names as aliases: a field of a model can't be called `schema`, `copy` or `_x`, but a parameter can.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Annotated, Any

from ..core.errors import ToolError, UsageError
from .annotations import description_of, or_none, with_readable_types, without_quotes
from .arguments import parse
from .docstring import parse_docstring

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

__all__ = ["Bound", "Description", "describe", "is_async", "name_of"]

Bound = tuple[tuple[Any, ...], dict[str, Any]]
"""What a function is called with: positional and keyword arguments."""

MAX_PROBLEMS = 10


@dataclass(frozen=True, slots=True)
class Description:
    """A function as its signature and docstring describe it.

    `parameters` is a JSON schema; `bind` turns the JSON text of a call into the arguments of the function.
    """

    text: str
    parameters: dict[str, Any]
    bind: Callable[[str], Bound]


def name_of(function: Callable[..., Any]) -> str:
    """The name of a function for an assistant, unless it was declared with another one."""
    while isinstance(function, functools.partial):
        function = function.func
    return str(getattr(function, "__name__", type(function).__name__))


def is_async(function: Callable[..., Any]) -> bool:
    """Whether calling it returns a coroutine."""
    code = _plain(function)
    return inspect.iscoroutinefunction(code) or inspect.iscoroutinefunction(inspect.unwrap(code))


def describe(name: str, function: Callable[..., Any]) -> Description:
    """The schema and the description of a function.

    Raises:
        UsageError: it can't be described to an assistant; the message has the reason.
    """
    if inspect.isclass(function) or not callable(function):
        raise UsageError(f"'{name}' isn't a function.", "A tool is a function, sync or async.")
    plain = inspect.unwrap(_plain(function))
    if inspect.isgeneratorfunction(plain) or inspect.isasyncgenfunction(plain):
        raise UsageError(f"The tool '{name}' is a generator.", "Return a list instead.")
    try:
        given = _parameters(name, function)
        hints = _hints(plain, given)
        model, schema = _model(name, plain, given, hints)
    except UsageError:
        raise
    except Exception as error:
        raise UsageError(f"The tool '{name}' can't be described to an assistant: {_first_line(error)}") from error
    text, documented = parse_docstring(_docstring(function, plain))
    annotated = {parameter: words for parameter, hint in hints.items() if (words := description_of(hint))}
    for parameter, description in (documented | annotated).items():
        if parameter in schema["properties"]:
            schema["properties"][parameter].setdefault("description", description)
    return Description(text, schema, _Binder(model, given))


def _plain(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function inside a partial, a method or a callable object."""
    while isinstance(function, functools.partial):
        function = function.func
    if inspect.isroutine(function) or inspect.isclass(function):
        return function
    return type(function).__call__


def _docstring(function: Callable[..., Any], plain: Callable[..., Any]) -> str | None:
    """The docstring; that of the class for a callable object (`getdoc` would find Python's own, of every `__call__`)."""
    while isinstance(function, functools.partial):
        function = function.func
    if inspect.isroutine(function):
        return inspect.getdoc(plain)
    return getattr(plain, "__doc__", None) or type(function).__doc__


def _parameters(name: str, function: Callable[..., Any]) -> list[inspect.Parameter]:
    given = list(inspect.signature(function).parameters.values())
    preset = function.keywords if isinstance(function, functools.partial) else {}  # the assistant doesn't see these
    for index, parameter in enumerate(given):
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            stars = "*" if parameter.kind is parameter.VAR_POSITIONAL else "**"
            raise UsageError(
                f"The tool '{name}' takes '{stars}{parameter.name}', which can't be described to an assistant."
            )
        if index == 0 and parameter.name in ("self", "cls") and parameter.annotation is parameter.empty:
            raise UsageError(f"The tool '{name}' is an unbound method.", "Use the method of an object.")
    if given and hasattr(function, "dispatch") and hasattr(function, "registry"):
        given[0] = given[0].replace(kind=inspect.Parameter.POSITIONAL_ONLY)  # `functools.singledispatch` needs it so
    return [parameter for parameter in given if parameter.name not in preset]


def _hints(function: Callable[..., Any], given: list[inspect.Parameter]) -> dict[str, Any]:
    """The annotations of the parameters. That of the result isn't evaluated: only type checkers may know it."""
    code: CodeType | None = getattr(function, "__code__", None)
    cells = zip(code.co_freevars if code else (), getattr(function, "__closure__", None) or (), strict=True)
    local = _enclosing_locals(function) | {variable: cell.cell_contents for variable, cell in cells if _is_filled(cell)}
    hints: dict[str, Any] = {}
    for parameter in given:
        hint = Any if parameter.annotation is parameter.empty else parameter.annotation
        module = getattr(function, "__globals__", {})
        try:
            if isinstance(hint, str):
                hint = eval(hint, module, local)  # noqa: S307 - as `def` itself would
            hint = with_readable_types(without_quotes(hint, module, local), local)
        except NameError as error:
            raise UsageError(
                f"The annotation of '{parameter.name}' in '{name_of(function)}' isn't defined at run time: {error}.",
                "Import the type outside of 'if TYPE_CHECKING'.",
            ) from None
        hints[parameter.name] = hint
    return hints


def _is_filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018 - asking raises
    except ValueError:
        return False
    return True


def _enclosing_locals(function: Callable[..., Any]) -> dict[str, Any]:
    """The local variables of the function in which this one was defined, while that one still runs."""
    home = getattr(function, "__qualname__", "").rpartition(".<locals>.")[0]
    frame: FrameType | None = sys._getframe(1) if home else None  # noqa: SLF001 - as dataclasses and pydantic do
    while frame is not None:
        if frame.f_code.co_qualname == home and frame.f_globals is getattr(function, "__globals__", None):
            return frame.f_locals
        frame = frame.f_back
    return {}


def _model(
    name: str, function: Callable[..., Any], given: list[inspect.Parameter], hints: dict[str, Any]
) -> tuple[type[BaseModel], dict[str, Any]]:
    from pydantic import ConfigDict, Field, create_model
    from pydantic.fields import FieldInfo
    from pydantic.json_schema import GenerateJsonSchema

    class Schema(GenerateJsonSchema):
        ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012 - pydantic's attribute

    fields: dict[str, Any] = {}
    for index, parameter in enumerate(given):
        hint, default = hints[parameter.name], parameter.default
        if default is None or (isinstance(default, FieldInfo) and default.default is None):
            hint = or_none(hint)
        if isinstance(default, FieldInfo):  # `x: int = Field(5, gt=0)`
            hint, default = Annotated[hint, default], parameter.empty
        given_default = {} if default is parameter.empty else {"default": default}
        fields[f"p{index}"] = (hint, Field(alias=parameter.name, **given_default))
    model: type[BaseModel] = create_model(
        name,
        __config__=ConfigDict(extra="forbid", ser_json_inf_nan="constants"),  # so that `portable` sees them
        __module__=getattr(function, "__module__", None) or "builtins",
        **fields,
    )
    schema = model.model_json_schema(schema_generator=Schema)
    schema.setdefault("properties", {})
    schema.pop("description", None)
    return model, schema


@dataclass(frozen=True, slots=True)
class _Binder:
    model: type[BaseModel]
    given: list[inspect.Parameter]

    def __call__(self, text: str) -> Bound:
        from pydantic import ValidationError

        parse(text)
        try:
            values = self.model.model_validate_json(text.strip() or "{}")
        except ValidationError as error:
            raise ToolError(_problems(error)) from None
        positional: list[Any] = []
        named: dict[str, Any] = {}
        for index, parameter in enumerate(self.given):
            field = f"p{index}"
            if field not in values.model_fields_set and _has_own_default(parameter):
                continue
            value = getattr(values, field)
            if parameter.kind is parameter.POSITIONAL_ONLY:
                positional.append(value)
            else:
                named[parameter.name] = value
        return tuple(positional), named


def _has_own_default(parameter: inspect.Parameter) -> bool:
    from pydantic.fields import FieldInfo

    return (
        parameter.default is not parameter.empty
        and not isinstance(parameter.default, FieldInfo)
        and parameter.kind is not parameter.POSITIONAL_ONLY  # a later one may be given
    )


def _problems(error: ValidationError) -> str:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    problems = [
        f"{'.'.join(map(str, one['loc'])) or 'arguments'}: "
        + ("unknown parameter" if one["type"] == "extra_forbidden" else one["msg"])
        for one in found[:MAX_PROBLEMS]
    ]
    more = [f"and {len(found) - MAX_PROBLEMS} more"] if len(found) > MAX_PROBLEMS else []
    return f"Invalid arguments: {'; '.join([*problems, *more])}."


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
