"""`asst templates`: its options and help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .. import completion
from ..options import ProfileName
from ..suggest import SuggestingGroup

__all__ = ["templates"]

templates = typer.Typer(
    help="List, show, edit and import templates (for -T).",
    cls=SuggestingGroup,
    no_args_is_help=True,
    rich_markup_mode=None,
)

Name = Annotated[str, typer.Argument(help="A template's name.", autocompletion=completion.templates)]
OwnProfile = Annotated[
    str,
    typer.Option("--profile", "-p", help="With the prompts of its MCP servers.", autocompletion=completion.profiles),
]


@templates.command("list", short_help="List your templates with their variables.")
def templates_list(
    profile: OwnProfile = "", json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False
) -> None:
    """List your templates with their variables; one with a question mark may be left out."""
    from ..event_loop import run
    from ..templates.manage import list_templates

    raise typer.Exit(run(lambda _: list_templates(profile, as_json=json)))


@templates.command("show", short_help="Print a template.")
def templates_show(name: Name, profile: ProfileName = "") -> None:
    """Print a template, or what an MCP server says about its prompt (server:prompt)."""
    from ..event_loop import run
    from ..templates.manage import show_template

    raise typer.Exit(run(lambda _: show_template(name, profile)))


@templates.command("edit")
def templates_edit(name: Name) -> None:
    """Open a template in your editor; a new name begins one."""
    from ..templates.manage import edit_template

    edit_template(name)


@templates.command("path", short_help="Print where a template is.")
def templates_path(
    name: Annotated[str, typer.Argument(help="A template's name.", autocompletion=completion.templates)] = "",
) -> None:
    """Print the path of a template, or of the folder with all of them."""
    from ..templates.manage import print_path

    print_path(name)


@templates.command("import", short_help="Import templates of llm and .prompt files.")
def templates_import(
    files: Annotated[
        list[Path], typer.Argument(help="Files of llm (.yaml), dotprompt (.prompt), Markdown; or folders.")
    ],
    name: Annotated[str, typer.Option("--name", help="A name for the template; default: that of the file.")] = "",
) -> None:
    """Import templates of llm, .prompt files and Markdown files; says what could not be taken over."""
    from ..templates.manage import import_templates

    raise typer.Exit(import_templates(files, name))
