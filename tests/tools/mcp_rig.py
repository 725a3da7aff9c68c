"""A toolbox with MCP servers, for tests."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from asstproxy import Profile
from asstproxy.tools import Outcome, Tool, run_tool
from asstproxy.tools.toolbox import Toolbox, open_toolbox

ODD = str(Path(__file__).with_name("mcp_odd.py"))


def odd(spec: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A server that does what `spec` says (see `mcp_odd`), as a profile names it."""
    return {"command": sys.executable, "args": [ODD, json.dumps(spec)], **more}


@asynccontextmanager
async def servers(tools: tuple[str, ...] = (), /, **configured: dict[str, Any]) -> AsyncIterator[Toolbox]:
    """A toolbox with these servers, which is closed in time and leaves no task behind."""
    box = await open_toolbox(Profile("work", "scripted", options={"mcp": configured}), tools)
    try:
        yield box
    finally:
        began = time.monotonic()
        await box.aclose()
        assert time.monotonic() - began < 20
        assert asyncio.all_tasks() == {asyncio.current_task()}


async def ask(box: Toolbox, name: str, **arguments: Any) -> Outcome:
    """The outcome of a call."""
    return await run_tool(box.tool(name), json.dumps(arguments))


def listed(name: Any, schema: Any = ..., **more: Any) -> dict[str, Any]:
    """A tool as a server lists it."""
    return {"name": name} | ({} if schema is ... else {"inputSchema": schema}) | more


def names(box: Toolbox) -> list[str]:
    """The names of the tools."""
    return [tool.name for tool in box.tools]


def only(box: Toolbox) -> Tool:
    """The one tool that there is."""
    (tool,) = box.tools
    return tool
