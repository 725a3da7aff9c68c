"""Function tools: any Python function, described by its signature and docstring, validated before it is called."""

from __future__ import annotations

import asyncio
import inspect
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from .assistant import ToolSpec
from .errors import AsstError, UsageError

if TYPE_CHECKING:
    from pydantic import TypeAdapter

__all__ = ["Tool", "ToolError", "as_tool", "run_blocking"]


class ToolError(AsstError):
    """A call failed in a way that the assistant can act on."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that an assistant may call. `timeout` is in seconds; `approval` says whether a person is asked first."""

    name: str
    description: str
    parameters: dict[str, Any]
    function: Callable[..., Any]
    timeout: float = 30.0
    approval: Literal["never", "ask", "always-ask"] = "never"
    _validator: TypeAdapter[Any] | None = field(default=None, repr=False, compare=False)

    @property
    def spec(self) -> ToolSpec:
        """The function as the assistant sees it."""
        return ToolSpec(self.name, self.description, self.parameters)

    async def call(self, arguments: str) -> str:
        """Run the function with these arguments (JSON text of an object); its value as text.

        Raises:
            ToolError: the arguments do not fit, the function raised, or its time was over.
        """
        values = self._validated(arguments)
        try:
            if inspect.iscoroutinefunction(self.function):
                async with asyncio.timeout(self.timeout):
                    value = await self.function(**values)
            else:
                value = await run_blocking(lambda: self.function(**values), self.timeout)
        except TimeoutError:
            raise ToolError(f"{self.name} did not return within {self.timeout:g} s.") from None
        except Exception as error:
            raise ToolError(f"{type(error).__name__}: {error}") from error
        return value if isinstance(value, str) else _as_json(value)

    def _validated(self, arguments: str) -> dict[str, Any]:
        from pydantic import ValidationError

        try:
            given = json.loads(arguments or "{}")
        except ValueError as error:
            raise ToolError(f"The arguments are not JSON: {error}") from None
        if not isinstance(given, dict):
            raise ToolError("The arguments are not a JSON object.")
        if self._validator is None:
            return given
        try:
            model = self._validator.validate_python(given)
        except ValidationError as error:
            problems = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'arguments'}: {e['msg']}" for e in error.errors())
            raise ToolError(f"The arguments do not fit: {problems}") from None
        return {name: getattr(model, name) for name in model.model_fields_set}


def as_tool(function: Callable[..., Any] | Tool) -> Tool:
    """A tool from any function, sync or async; the schema comes from its signature and docstring.

    Raises:
        UsageError: the function cannot be described to an assistant.
    """
    if isinstance(function, Tool):
        return function
    from pydantic import ConfigDict, PydanticUserError, TypeAdapter, create_model

    name = getattr(function, "__name__", type(function).__name__)
    try:
        hints = inspect.get_annotations(function, eval_str=True)
        fields: dict[str, Any] = {}
        for parameter in inspect.signature(function).parameters.values():
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
                raise UsageError(f"The tool '{name}' takes '{parameter}', which has no name to an assistant.")
            default = ... if parameter.default is parameter.empty else parameter.default
            fields[parameter.name] = (hints.get(parameter.name, Any), default)
        model = create_model(name, __config__=ConfigDict(extra="forbid", arbitrary_types_allowed=False), **fields)
        schema = model.model_json_schema()
    except (PydanticUserError, NameError, TypeError, ValueError) as error:
        raise UsageError(f"The tool '{name}' cannot be described to an assistant: {error}") from error
    schema.pop("title", None)
    return Tool(name, inspect.getdoc(function) or "", schema, function, _validator=TypeAdapter(model))


def _as_json(value: Any) -> str:
    from pydantic_core import to_json

    return to_json(value, fallback=str).decode("utf-8", "replace")


async def run_blocking(function: Callable[[], Any], timeout: float) -> Any:
    """Run a blocking function in a daemon thread, for at most `timeout` seconds.

    Not `asyncio.to_thread`: its thread holds the process until a hung function returns. Past its time the thread is left
    to itself, and dies with the process.

    Raises:
        TimeoutError: the time was over.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Any] = loop.create_future()

    def settle(value: Any, error: BaseException | None) -> None:
        if done.done():
            return
        if error is None:
            done.set_result(value)
        else:  # SystemExit and the like would end the loop
            done.set_exception(error if isinstance(error, Exception) else ToolError(f"{type(error).__name__}: {error}"))

    def work() -> None:
        value, failure = None, None
        try:
            value = function()
        except BaseException as error:  # noqa: BLE001 - whatever a tool raises is its result
            failure = error
        try:
            loop.call_soon_threadsafe(settle, value, failure)
        except RuntimeError:
            pass  # the loop has ended meanwhile: nobody waits for it any more

    threading.Thread(target=work, name="asst-tool", daemon=True).start()
    async with asyncio.timeout(timeout):
        return await done
