"""Running a tool: its arguments are bound, it is called within its time, and there is an outcome whatever happens."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

from ..core.errors import ToolError
from ..core.redact import redact, redacting_logger
from .isolation import GRACE, JobResult, ToolTimeoutError, in_loop, in_own_loop, in_thread
from .output_capture import CapturedOutput, capture_output
from .serialize import serialize, truncate
from .tool import Tool

__all__ = ["Outcome", "check_arguments", "run_tool"]

_log = redacting_logger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one call gave: `output`, or `error` in words the assistant can act on.

    `printed` is what the tool wrote to its standard streams; `abandoned`: its time was over and it was left running.
    """

    output: str = ""
    error: str | None = None
    printed: str = ""
    seconds: float = 0.0
    abandoned: bool = False


async def run_tool(tool: Tool, arguments: str) -> Outcome:
    """Run a tool with these arguments (JSON text of an object). Whatever the tool does, this returns in time.

    Tools see our environment, and one that shows it must not send a key to the assistant or into the journal.
    """
    printed, began = CapturedOutput(), time.monotonic()
    output, error, abandoned = "", None, False
    try:
        with capture_output(printed):
            output = truncate(redact(await _call(tool, arguments)), tool.output_limit)
    except ToolError as failure:
        error = truncate(serialize(str(failure)), tool.output_limit)
    except ToolTimeoutError as failure:
        abandoned = failure.abandoned
        after = "It was left running, so what it does may still happen." if abandoned else "It was stopped."
        error = f"{tool.name} did not return within {tool.timeout:g} s. {after}"
    return Outcome(output, error, redact(printed.close()), round(time.monotonic() - began, 3), abandoned)


async def check_arguments(tool: Tool, arguments: str) -> str | None:
    """What is wrong with these arguments; None if nothing is. Types may check with code of their own: it takes time."""
    try:
        with capture_output(CapturedOutput()):
            _value(await in_thread(lambda: tool.bind(arguments), tool.timeout))
    except ToolError as failure:
        return str(failure)
    except ToolTimeoutError:
        return f"The arguments of {tool.name} could not be checked within {tool.timeout:g} s."
    return None


async def _call(tool: Tool, arguments: str) -> str:
    if not tool.is_async:
        return str(_value(await in_thread(lambda: _work(tool, arguments), tool.timeout)))
    began = time.monotonic()

    def left() -> float:
        return max(GRACE, tool.timeout - (time.monotonic() - began))

    positional, named = _value(await in_thread(lambda: tool.bind(arguments), tool.timeout))
    awaited = in_own_loop if tool.apart else in_loop
    value = _value(await awaited(lambda: tool.function(*positional, **named), min(left(), tool.timeout)))
    return str(_value(await in_thread(lambda: serialize(value), left())))


def _work(tool: Tool, arguments: str) -> str:
    """All that a blocking tool does: binding and telling may run code of others, too."""
    positional, named = tool.bind(arguments)
    value = tool.function(*positional, **named)
    if isinstance(value, Awaitable):  # a plain function that gives a coroutine
        value = asyncio.run(_awaited(value))
    return serialize(value)


async def _awaited(value: Awaitable[Any]) -> Any:
    return await value


def _value(ended: JobResult) -> Any:
    error = ended.error
    if error is None:
        return ended.value
    if isinstance(error, ToolError):
        raise error
    _log.debug("a tool failed", exc_info=error)
    try:
        inner = "; ".join(map(repr, error.exceptions)) if isinstance(error, BaseExceptionGroup) else str(error)
    except BaseException:  # noqa: BLE001 - even its text fails
        inner = ""
    name = type(error).__name__
    raise ToolError(f"{name}: {inner}" if inner else name)
