"""What docs/tools.md says is true."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

from asstproxy import Profile
from asstproxy.core.events import Decision, ToolCall
from asstproxy.tools import Question, from_pairs, run_tool
from asstproxy.tools.approval import ask
from asstproxy.tools.loading import find_tools
from asstproxy.tools.mcp_servers import _Options

PAGE = (Path(__file__).parents[2] / "docs" / "tools.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The page's blocks in one language."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


async def test_the_programs_run(tmp_path: Path) -> None:
    """The first tool can be found and run as the page says, and the second program answers for a person."""
    declare, approve = blocks("python")
    file = tmp_path / "flights.py"
    file.write_text(declare)
    (book,) = find_tools([f"{file}:book"])
    assert (book.approval, book.timeout) == ("always-ask", 10)
    assert book.parameters["properties"]["flight"]["description"] == "Its number, such as LH 400."
    command = next(line for line in blocks("sh")[0].splitlines() if " run " in line)
    pairs = [word for word in shlex.split(command) if "=" in word]
    assert (await run_tool(book, from_pairs(pairs, book.parameters))).output == '{"booking":4711,"seats":1}'
    nobody = '{"flight": "LH 400", "day": "2026-12-24", "passengers": []}'
    assert (await run_tool(book, nobody)).error == "Nobody flies. Ask who does."

    names: dict[str, Any] = {"__name__": "page"}
    program = compile(declare + approve, "docs/tools.md", "exec", dont_inherit=True)
    exec(program, names)  # noqa: S102 - our own page
    question = Question(ToolCall("1", "book", nobody), book)
    assert (await ask([question], names["ask"])).decisions == (Decision("1", approved=True, by="person"),)


def test_the_profiles_are_read() -> None:
    """Every key of the page's MCP servers is one."""
    _, servers = blocks("toml")
    options = tomllib.loads(servers)["profiles"]["work"]
    read = Profile("work", "gpt", options=options).read(_Options).mcp
    assert json.dumps(options["mcp"]["time"]["args"]) == json.dumps(list(read["time"].args))
    assert read["wiki"].timeout == 60
