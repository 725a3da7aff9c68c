"""The options that `asst setup PROVIDER` has for every provider. Each field is a parameter of the command."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Annotated

import typer

from .. import completion

__all__ = ["SetupOptions"]


@dataclass(frozen=True, slots=True)
class SetupOptions:
    """What the command line says about a profile, whatever its provider. Empty values say nothing."""

    name: Annotated[str, typer.Option("--name", help="Name of the profile. Default: the provider's name.")] = ""
    model: Annotated[str, typer.Option("--model", "-m", help="Model.", autocompletion=completion.models)] = ""
    system: Annotated[
        str | None, typer.Option("--system", "--instructions", "-s", help="Instructions: text or @file; '' for none.")
    ] = None
    preset: Annotated[
        str,
        typer.Option(
            "--preset", help="Instructions with matching tools: brief, stocks.", autocompletion=completion.presets
        ),
    ] = ""
    tool: Annotated[
        list[str] | None,
        typer.Option(
            "--tool", "-t", help="Tool that may be called: package.module[:function].", autocompletion=completion.tools
        ),
    ] = None
    no_tools: Annotated[bool, typer.Option("--no-tools", help="Remove the tools from the profile.")] = False
    base_url: Annotated[str, typer.Option("--base-url", help="URL of the API.")] = ""
    api_key_env: Annotated[str, typer.Option("--api-key-env", help="Environment variable that holds the key.")] = ""
    key_stdin: Annotated[bool, typer.Option("--key-stdin", help="Read the key from stdin and save it.")] = False
    keyring: Annotated[bool, typer.Option("--keyring", help="Save the key in the system's keyring.")] = False
    move: Annotated[bool, typer.Option("--move", help="Take over a profile that uses another provider.")] = False
    default: Annotated[bool, typer.Option("--default", help="Make this the default profile.")] = False
    no_check: Annotated[bool, typer.Option("--no-check", help="Don't ask the provider whether the key works.")] = False
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask no questions.")] = False

    @property
    def tools(self) -> list[str] | None:
        """The tools to set; an empty list removes those of the profile, None keeps them."""
        return [] if self.no_tools else self.tool or None

    @property
    def asking(self) -> bool:
        """Whether questions can be asked: on a terminal, and without `--yes`."""
        return sys.stdin.isatty() and sys.stderr.isatty() and not self.yes
