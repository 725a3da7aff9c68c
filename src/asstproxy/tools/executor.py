"""Running a tool: its arguments are bound, it is called within its time limit, and there is always an outcome."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any

from ..core.errors import ToolError
from ..core.redact import redact, redacting_logger
from .isolation import GRACE, JobResult, ToolTimeoutError, in_loop, in_own_loop, in_thread
from .output_capture import CapturedOutput, capture_output
from .schema import Bound
from .serialize import serialize, truncate
from .tool import Tool

__all__ = ["BoundCall", "Outcome", "bind_call", "check_arguments", "run_tool"]

_log = redacting_logger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one call: `output`, or `error` in words that the assistant can act on.

    `printed` is what the tool wrote to its standard streams; `seconds` is how long it took; `abandoned`: it did not stop at
    its time limit and still runs.
    """

    output: str = ""
    error: str | None = None
    printed: str = ""
    seconds: float = 0.0
    abandoned: bool = False


@dataclass(frozen=True, slots=True)
class BoundCall:
    """A tool with the arguments of one call, parsed and validated: `bound`, or the `problem` with them."""

    tool: Tool
    arguments: str
    bound: Bound | None = None
    problem: str | None = None
    printed: CapturedOutput = field(default_factory=CapturedOutput)


async def bind_call(tool: Tool, arguments: str) -> BoundCall:
    """Parse and validate the arguments of a call. Their types may run code of their own, so this has a time limit, too."""
    printed = CapturedOutput()
    try:
        with capture_output(printed):
            bound = _value(await in_thread(lambda: tool.bind(arguments), tool.timeout))
    except ToolError as failure:
        return BoundCall(tool, arguments, problem=str(failure))
    except ToolTimeoutError:
        problem = f"The arguments of {tool.name} could not be checked within {tool.timeout:g} s."
        return BoundCall(tool, arguments, problem=problem)
    return BoundCall(tool, arguments, bound, printed=printed)


async def check_arguments(tool: Tool, arguments: str) -> str | None:
    """What is wrong with these arguments; None if nothing is."""
    return (await bind_call(tool, arguments)).problem


async def run_tool(tool: Tool, arguments: str, checked: BoundCall | None = None) -> Outcome:
    """Run a tool with these arguments (a JSON object). Whatever the tool does, this returns in time.

    `checked`: the same call, if its arguments were bound before (for an approval). Keys are removed from what the tool returns,
    raises and prints: it sees our environment, and must not send a key to the assistant or into the journal.
    """
    call = checked or BoundCall(tool, arguments)
    began = time.monotonic()
    output, error, abandoned = "", None, False
    try:
        with capture_output(call.printed):
            output = truncate(redact(await _run(call)), tool.output_limit)
    except ToolError as failure:
        error = truncate(serialize(str(failure)), tool.output_limit)
    except ToolTimeoutError as failure:
        abandoned = failure.abandoned
        after = "It was left running, so what it does may still happen." if abandoned else "It was stopped."
        error = f"{tool.name} did not return within {tool.timeout:g} s. {after}"
    return Outcome(output, error, call.printed.close(), round(time.monotonic() - began, 3), abandoned)


async def _run(call: BoundCall) -> str:
    tool = call.tool
    if not tool.is_async:
        return str(_value(await in_thread(lambda: _run_blocking(call), tool.timeout)))
    began = time.monotonic()

    def remaining() -> float:
        return max(GRACE, tool.timeout - (time.monotonic() - began))

    positional, named = call.bound or _value(await in_thread(lambda: tool.bind(call.arguments), tool.timeout))
    run = in_own_loop if tool.apart else in_loop
    value = _value(await run(lambda: tool.function(*positional, **named), min(remaining(), tool.timeout)))
    return str(_value(await in_thread(lambda: serialize(value), remaining())))


def _run_blocking(call: BoundCall) -> str:
    """Everything that a blocking tool does, in its thread: binding and serializing may run code of others, too."""
    positional, named = call.bound or call.tool.bind(call.arguments)
    value = call.tool.function(*positional, **named)
    if isinstance(value, Awaitable):  # a plain function that returns a coroutine
        value = asyncio.run(_awaited(value))
    return serialize(value)


async def _awaited(value: Awaitable[Any]) -> Any:
    return await value


def _value(result: JobResult) -> Any:
    error = result.error
    if error is None:
        return result.value
    if isinstance(error, ToolError):
        raise error
    _log.debug("a tool failed", exc_info=error)
    try:
        inner = "; ".join(map(repr, error.exceptions)) if isinstance(error, BaseExceptionGroup) else str(error)
    except BaseException:  # noqa: BLE001 - even its text fails
        inner = ""
    name = type(error).__name__
    raise ToolError(f"{name}: {inner}" if inner else name)
