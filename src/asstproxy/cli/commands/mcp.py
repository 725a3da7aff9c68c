"""`asst mcp`: its options and help."""

from __future__ import annotations

from typing import Annotated

import typer

from .. import completion
from ..suggest import SuggestingGroup

__all__ = ["mcp"]

mcp = typer.Typer(
    help="List, add, import, remove and test MCP servers.",
    cls=SuggestingGroup,
    no_args_is_help=True,
    rich_markup_mode=None,
)

Name = Annotated[str, typer.Argument(help="Name of the server.", autocompletion=completion.mcp_servers)]
NewName = Annotated[str, typer.Argument(help="Name of the server: its tools begin with it.")]
Profiles = Annotated[
    list[str] | None,
    typer.Option(
        "--profile",
        "-p",
        help="Profile that has its tools. Default: the default profile.",
        autocompletion=completion.profiles,
    ),
]
SaveOnly = Annotated[bool, typer.Option("--save-only", help="Save it for no profile.")]
Pairs = list[str] | None


@mcp.command("list", short_help="List the servers and the profiles that use them.")
def mcp_list(json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the servers, the profiles that have their tools, and what they run."""
    from ..mcp.manage import list_servers

    list_servers(as_json=json)


@mcp.command("add")
def mcp_add(
    name: NewName,
    command: Annotated[
        list[str] | None, typer.Argument(metavar="[-- COMMAND ARGUMENTS…]", help="What starts the server.")
    ] = None,
    url: Annotated[str, typer.Option("--url", help="Address of a server that runs elsewhere (streamable HTTP).")] = "",
    env: Annotated[
        Pairs, typer.Option("--env", "-e", metavar="NAME=VALUE", help="Environment variable of the server.")
    ] = None,
    header: Annotated[
        Pairs, typer.Option("--header", "-H", metavar="NAME=VALUE", help="Header of each request to a URL.")
    ] = None,
    tool: Annotated[
        list[str] | None, typer.Option("--tool", "-t", help="Tool to offer (* and ? work). Default: all.")
    ] = None,
    timeout: Annotated[
        float | None, typer.Option("--timeout", min=0.1, help="Seconds for a call. Default: 30.")
    ] = None,
    profile: Profiles = None,
    save_only: SaveOnly = False,
) -> None:
    """Add a server: asst mcp add time -- uvx mcp-server-time"""
    from ..mcp.manage import add_server
    from ..mcp.table import server_table

    add_server(
        name,
        server_table(command or (), url, env or (), header or (), tool or (), timeout),
        profile or (),
        alone=save_only,
    )


@mcp.command("import", short_help="Import those of Claude Desktop, Cursor, VS Code, …")
def mcp_import(
    file: Annotated[
        str,
        typer.Argument(help='JSON of a desktop client, such as claude_desktop_config.json ("mcpServers"); - is stdin.'),
    ],
    profile: Profiles = None,
    save_only: SaveOnly = False,
) -> None:
    """Import the servers of Claude Desktop, Cursor, VS Code and others. Keys go into credentials.toml."""
    from ..mcp.manage import import_servers

    import_servers(file, profile or (), alone=save_only)


@mcp.command("remove")
def mcp_remove(name: Name, yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask no questions.")] = False) -> None:
    """Remove a server."""
    from ..mcp.manage import remove_a_server

    remove_a_server(name, yes=yes)


@mcp.command("test")
def mcp_test(
    names: Annotated[
        list[str] | None, typer.Argument(help="Servers. Default: all.", autocompletion=completion.mcp_servers)
    ] = None,
    profile: Annotated[
        str, typer.Option("--profile", "-p", help="Servers of this profile.", autocompletion=completion.profiles)
    ] = "",
) -> None:
    """Start servers and list their tools."""
    from ..event_loop import run
    from ..mcp.manage import test_servers

    raise typer.Exit(run(lambda _: test_servers(names or [], profile)))
