"""A tool: a Python function, or anything that can be called with JSON, with all that is needed to describe and run it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar, get_args, overload

import msgspec

from ..core.errors import UsageError
from ..core.turn import ToolSpec
from .arguments import parse
from .portable_schema import check_description, check_name, portable
from .schema import Bound, describe, is_async, name_of

__all__ = ["OUTPUT_LIMIT", "TIMEOUT", "Approval", "Declaration", "Tool", "as_tool", "tool"]

Approval = Literal["never", "ask", "always-ask"]
"""Whether a person is asked before each call; with `always-ask`, "always" isn't a possible answer."""
TIMEOUT = 30.0
OUTPUT_LIMIT = 64 * 1024
F = TypeVar("F", bound=Callable[..., Any])

_MARK = "__asst_tool__"


class Declaration(msgspec.Struct, frozen=True, kw_only=True):
    """The options of `@tool`; None: the signature decides, or where the function comes from."""

    name: str | None = None
    description: str | None = None
    approval: Approval | None = None
    timeout: float = TIMEOUT
    read_only: bool = False
    output_limit: int = OUTPUT_LIMIT


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that an assistant may call.

    `parameters` is a JSON schema that every provider accepts. `bind` turns the JSON text of a call into the arguments of
    `function`. `timeout` is in seconds, `output_limit` in bytes. `source` is where it was loaded from. `apart`: if it is async,
    it runs in another event loop, where it can't block the program's.

    Raises:
        UsageError: a provider would refuse it; the message has the reason.
    """

    name: str
    description: str
    parameters: dict[str, Any]
    function: Callable[..., Any]
    bind: Callable[[str], Bound] = field(default=lambda text: ((), parse(text)), repr=False, compare=False)
    approval: Approval = "never"
    timeout: float = TIMEOUT
    read_only: bool = False
    output_limit: int = OUTPUT_LIMIT
    source: str = ""
    apart: bool = False

    def __post_init__(self) -> None:
        check_name(self.name)
        check_description(self.name, self.description)
        object.__setattr__(self, "parameters", portable(self.name, self.parameters))
        if self.approval not in get_args(Approval):
            raise UsageError(
                f"Invalid approval of the tool '{self.name}': '{self.approval}'.", f"Use one of: {APPROVALS}."
            )
        if not (math.isfinite(self.timeout) and self.timeout > 0):
            raise UsageError(f"The tool '{self.name}' needs a time limit.", "Give a positive number of seconds.")
        if self.output_limit < 256:
            raise UsageError(f"The output limit of the tool '{self.name}' is below 256 bytes.")

    @property
    def spec(self) -> ToolSpec:
        """The function as the assistant sees it."""
        return ToolSpec(self.name, self.description, self.parameters)

    @property
    def is_async(self) -> bool:
        """Whether calling the function returns a coroutine."""
        return is_async(self.function)


APPROVALS = ", ".join(get_args(Approval))


@overload
def tool(function: F, /) -> F: ...
@overload
def tool(
    *,
    name: str | None = None,
    description: str | None = None,
    approval: Approval | None = None,
    timeout: float = TIMEOUT,
    read_only: bool = False,
    output_limit: int = OUTPUT_LIMIT,
) -> Callable[[F], F]: ...
def tool(function: F | None = None, /, **options: Any) -> F | Callable[[F], F]:
    """Declare a function as a tool; the function itself is not changed.

    `name` and `description` replace the function's own. `approval`: whether a person is asked before each call ("never", "ask",
    "always-ask"); by default, tools loaded by name need approval, but not those that a program passes as functions, nor those
    that are `read_only` (they change nothing). `timeout`: seconds until a call is stopped. `output_limit`: bytes of the result that
    the assistant gets.

    Raises:
        UsageError: providers would refuse the name.
    """

    def mark(function: F) -> F:
        declaration = Declaration(**options)
        check_name(declaration.name or name_of(function))
        try:
            setattr(function, _MARK, declaration)
        except (AttributeError, TypeError):
            raise UsageError(f"'{name_of(function)}' can't be declared as a tool.", "Wrap it in a def.") from None
        return function

    return mark if function is None else mark(function)


def declaration_of(function: Any) -> Declaration | None:
    """The options of `@tool`, if the function has it."""
    found = getattr(function, _MARK, None)
    return found if isinstance(found, Declaration) else None


def as_tool(
    function: Callable[..., Any] | Tool, *, approval: Approval = "never", source: str = "", apart: bool = False
) -> Tool:
    """A tool from any function, sync or async; the schema comes from its signature and docstring.

    `approval` is used if the function declares neither an approval nor `read_only`.

    Raises:
        UsageError: the function can't be described to an assistant, or a provider would refuse it.
    """
    if isinstance(function, Tool):
        return function
    declared = declaration_of(function) or Declaration()
    name = declared.name or name_of(function)
    check_name(name)
    described = describe(name, function)
    return Tool(
        name=name,
        description=declared.description if declared.description is not None else described.text,
        parameters=described.parameters,
        function=function,
        bind=described.bind,
        approval=declared.approval or ("never" if declared.read_only else approval),
        timeout=declared.timeout,
        read_only=declared.read_only,
        output_limit=declared.output_limit,
        source=source,
        apart=apart,
    )
