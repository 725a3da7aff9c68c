"""Running a tool: within its time, apart from the program, with an outcome whatever happens.

A function runs in a daemon thread, not in `asyncio.to_thread`, whose thread holds the process until a hung function
returns. An async one is awaited where the program awaits, or, when it stands apart, in a loop of its own in a daemon
thread; past its time it is cancelled. What does not stop then is abandoned: it is left to itself and dies with the process.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

from .capture import Printed, catching
from .declare import Tool
from .errors import ToolError
from .jobs import GRACE, TimeIsOverError, in_loop, in_own_loop, in_thread
from .results import as_text, cut

__all__ = ["Outcome", "check_arguments", "run_tool"]

_log = logging.getLogger(__name__)


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
    """Run a tool with these arguments (JSON text of an object). Whatever the tool does, this returns in time."""
    printed, began, abandoned = Printed(), time.monotonic(), False
    output, error = "", None
    try:
        with catching(printed):
            output = cut(await _call(tool, arguments), tool.output_limit)
    except BaseException as failure:
        if _is_ours(failure):
            raise
        abandoned = isinstance(failure, TimeIsOverError) and failure.abandoned
        error = cut(as_text(_told(tool, failure)), tool.output_limit)
    return Outcome(output, error, printed.close(), round(time.monotonic() - began, 3), abandoned)


async def check_arguments(tool: Tool, arguments: str) -> str | None:
    """What is wrong with these arguments; None if nothing is. A type may check with code of its own, so it takes time."""
    try:
        with catching(Printed()):
            await in_thread(lambda: tool.bind(arguments), tool.timeout)
    except BaseException as failure:
        if _is_ours(failure):
            raise
        return _told(tool, failure)
    return None
