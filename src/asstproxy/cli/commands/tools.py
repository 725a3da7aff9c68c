"""`asst tools`: its options and help."""

from __future__ import annotations

from typing import Annotated

import typer

from ..options import ProfileName, Tools
from ..suggest import SuggestingGroup

__all__ = ["tools"]

tools = typer.Typer(
    help="List, show and try the tools that an assistant may call.",
    cls=SuggestingGroup,
    no_args_is_help=True,
    rich_markup_mode=None,
)

Name = Annotated[
    str, typer.Argument(help="A tool's name, or where it is: package.module:function, ./file.py:function.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@tools.command("list", short_help="List the tools of a profile, or of -t.")
def tools_list(profile: ProfileName = "", tool: Tools = None, json: Json = False) -> None:
    """List the tools of a profile, of -t, and those that installed packages bring."""
    from ..event_loop import run
    from ..tool_catalog import list_tools

    raise typer.Exit(run(lambda _: list_tools(profile, tuple(tool or ()), as_json=json)))


@tools.command("show")
def tools_show(name: Name, profile: ProfileName = "", tool: Tools = None, json: Json = False) -> None:
    """Show a tool as the assistant sees it."""
    from ..event_loop import run
    from ..tool_catalog import show_tool

    raise typer.Exit(run(lambda _: show_tool(name, profile, tuple(tool or ()), as_json=json)))


@tools.command("run")
def tools_run(
    name: Name,
    arg: Annotated[list[str] | None, typer.Option("--arg", "-a", help="One argument: name=value.")] = None,
    args: Annotated[str, typer.Option("--args", help="All arguments, as a JSON object.")] = "",
    profile: ProfileName = "",
    tool: Tools = None,
) -> None:
    """Run a tool as an assistant would. Stdout is its output."""
    from ..event_loop import run
    from ..tool_catalog import run_one_tool

    raise typer.Exit(run(lambda _: run_one_tool(name, tuple(arg or ()), args, profile, tuple(tool or ()))))
