"""The options that `ask` and `chat` share, said once."""

from __future__ import annotations

from typing import Annotated

import typer

from . import completion

__all__ = [
    "Background",
    "Continue",
    "Fork",
    "MediatorName",
    "Model",
    "NoSave",
    "NoStream",
    "NoTools",
    "ProfileName",
    "Quiet",
    "SessionId",
    "System",
    "Timeout",
    "Tool",
    "Wait",
    "Yes",
]

ProfileName = Annotated[
    str,
    typer.Option("--profile", "-p", envvar="ASST_PROFILE", help="Who answers.", autocompletion=completion.profiles),
]
Model = Annotated[
    str,
    typer.Option(
        "--model",
        "-m",
        envvar="ASST_MODEL",
        help="The model, instead of the profile's.",
        autocompletion=completion.models,
    ),
]
System = Annotated[str | None, typer.Option("--system", "-s", help="Instructions, instead of the profile's.")]
Continue = Annotated[bool, typer.Option("--continue", "-c", help="Go on with the newest session.")]
SessionId = Annotated[
    str,
    typer.Option(
        "--session", help="Go on with this session (the beginning of its id).", autocompletion=completion.sessions
    ),
]
Wait = Annotated[bool, typer.Option("--wait", help="Wait while another process has the session open.")]
Fork = Annotated[bool, typer.Option("--fork", help="Go on in a copy of the session.")]
NoSave = Annotated[bool, typer.Option("--no-save", help="Keep nothing.")]
Tool = Annotated[
    list[str] | None,
    typer.Option(
        "--tool", "-t", help="Functions that may be called: package.module[:function].", autocompletion=completion.tools
    ),
]
NoTools = Annotated[bool, typer.Option("--no-tools", help="Offer no tools, whatever the profile says.")]
Yes = Annotated[bool, typer.Option("--yes", help="Let every tool run without asking.")]
MediatorName = Annotated[
    str, typer.Option("--mediator", envvar="ASST_MEDIATOR", help="Who follows the script: state-machine or basic.")
]
NoStream = Annotated[bool, typer.Option("--no-stream", help="Ask for the answer in one piece.")]
Background = Annotated[bool, typer.Option("--background", help="Let the provider work in the background, and poll.")]
Timeout = Annotated[float | None, typer.Option("--timeout", min=0.0, help="Stop an exchange after this many seconds.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing on stderr but errors.")]
