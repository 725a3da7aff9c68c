"""`asst tools`: the tools that an assistant may call, to look at and to try."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import AsyncIterator, Sequence

from ..config.profiles import Profile, load_config
from ..config.who_answers import choose_profile
from ..core.codec import pretty
from ..core.errors import NotSetUpError
from ..text.call_text import call_line, call_text
from ..text.safe_text import clean
from ..tools import Tool, from_pairs, run_tool
from ..tools.loading import installed
from ..tools.toolbox import Toolbox, open_toolbox
from .error_output import print_warning
from .fitted import fitted
from .standard_streams import write_json

__all__ = ["list_tools", "run_one_tool", "show_tool"]


RUNS = {"never": "runs without asking", "ask": "runs after asking", "always-ask": "always asks"}
"""When a tool runs, by its `approval`."""


async def list_tools(profile: str, named: Sequence[str], *, as_json: bool) -> int:
    """Print each tool: its name, its approval, where it comes from, the first line of its description."""
    async with _toolbox(profile, (*named, *(() if named else installed()))) as box:
        if as_json:
            _print_json([_described(tool) for tool in box.tools])
        elif sys.stdout.isatty():
            for tool in box.tools:
                sys.stdout.write(fitted("".join(f"{line}\n" for line in _in_lines(tool))))
        else:
            for tool in box.tools:
                name, runs, source, what = _facts(tool)
                sys.stdout.write(f"{name:<24} {runs:<19}  {source:<40} {what}\n")
        if not box.tools and not as_json:
            sys.stderr.write("No tools. Name some with -t package.module:function, or use a profile that has some.\n")
    return 0


def _facts(tool: Tool) -> tuple[str, str, str, str]:
    """Its name, when it runs, where it comes from, what it does."""
    what = call_line(tool.description.partition("\n")[0])
    return call_line(tool.name), RUNS[tool.approval], call_line(tool.source), what


def _in_lines(tool: Tool) -> list[str]:
    """The same in lines: what `-t` takes stands on one of its own, so that it copies well."""
    name, runs, source, what = _facts(tool)
    return [f"{name} · {runs}", f"  {source}", *([f"  {what}"] if what else [])]


async def show_tool(name: str, profile: str, named: Sequence[str], *, as_json: bool) -> int:
    """Print a tool's description and the JSON schema of its arguments."""
    async with _toolbox(profile, named, name) as box:
        tool = _find(box, name)
        if as_json:
            _print_json(_described(tool))
            return 0
        sys.stdout.write(f"{call_line(tool.name)}   from {call_line(tool.source)}\n")
        sys.stdout.write(f"{RUNS[tool.approval]} · at most {tool.timeout:g} s · at most {tool.output_limit:,} bytes\n")
        sys.stdout.write(f"\n{call_text(tool.description)}\n\n" if tool.description else "\n")
        _print_json(tool.parameters)
    return 0


async def run_one_tool(name: str, pairs: Sequence[str], text: str, profile: str, named: Sequence[str]) -> int:
    """Run a tool and print what the assistant would get: 0, or 1 with the error on stderr."""
    async with _toolbox(profile, named, name) as box:
        tool = _find(box, name)
        outcome = await run_tool(tool, from_pairs(pairs, tool.parameters, text))
    sys.stderr.write(clean(outcome.printed))
    if outcome.error is not None:
        print_warning(outcome.error)
        return 1
    sys.stdout.write((clean(outcome.output) if sys.stdout.isatty() else outcome.output) + "\n")
    return 0


@contextlib.asynccontextmanager
async def _toolbox(profile: str, named: Sequence[str], name: str = "") -> AsyncIterator[Toolbox]:
    """The tools of the profile and of `-t`, and `name` where it says where a tool is."""
    if ":" in name or "/" in name or name.endswith(".py") or name in installed():
        named = (*named, name)
    box = await open_toolbox(_profile(profile), named or (() if profile or not name else installed()))
    for notice in box.notices:
        print_warning(notice)
    try:
        yield box
    finally:
        await box.aclose()


def _profile(name: str) -> Profile | None:
    try:
        return choose_profile(load_config(), name)
    except NotSetUpError:
        if name:
            raise
        return None  # tools can be looked at before an assistant is set up


def _find(box: Toolbox, name: str) -> Tool:
    by_source = next((tool for tool in box.tools if name in (tool.source, tool.source.rpartition("/")[2])), None)
    return by_source or box.tool(name.rpartition(":")[2] if ":" in name else name)


def _described(tool: Tool) -> dict[str, object]:
    return {
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.parameters,
        "approval": tool.approval,
        "timeout": tool.timeout,
        "read_only": tool.read_only,
        "source": tool.source,
    }


def _print_json(value: object) -> None:
    write_json(pretty(value) + b"\n")
