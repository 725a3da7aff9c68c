"""What a user asks for on the command line: the options that `ask` and `chat` share, declared once."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import typer

__all__ = [
    "ConversationOptions",
    "ProfileName",
    "Quiet",
    "Tools",
    "completions",
    "not_empty",
    "on_command_line",
    "takes_conversation_options",
]


def completions() -> Any:
    """What completes a value: imported when the shell asks, after Tab."""
    from . import completion

    return completion


def not_empty(context: typer.Context, parameter: typer.CallbackParam, value: str) -> str:
    """The value of an option that means something else when it isn't given.

    Raises:
        BadParameter: it is empty, as of `--session "$ID"` where nothing has set ID.
    """
    name = str(parameter.name)
    if not value and name in on_command_line(context, name):
        raise typer.BadParameter("it is empty")
    return value


ProfileName = Annotated[
    str,
    typer.Option(
        "--profile",
        "-p",
        envvar="ASST_PROFILE",
        help="Profile to use.",
        autocompletion=lambda incomplete: completions().profiles(incomplete),
    ),
]
Tools = Annotated[
    list[str] | None,
    typer.Option(
        "--tool",
        "-t",
        help="Tools to offer: package.module[:function] or ./file.py[:function].",
        autocompletion=lambda incomplete: completions().tools(incomplete),
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print only errors on stderr.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationOptions:
    """How to hold a conversation. Each field is an option of `asst ask` and `asst chat`, with its help."""

    profile: ProfileName = ""
    model: Annotated[
        str,
        typer.Option(
            "--model",
            "-m",
            envvar="ASST_MODEL",
            help="Model to use instead of the profile's.",
            autocompletion=lambda ctx, incomplete: completions().models(ctx, incomplete),
        ),
    ] = ""
    system: Annotated[
        str | None,
        typer.Option("--system", "-s", help="Instructions to use instead of the profile's: a text or @file."),
    ] = None
    template: Annotated[
        str,
        typer.Option(
            "--template",
            "-T",
            callback=not_empty,
            help="Template: a name, a Markdown file, or server:prompt. See: asst templates.",
            autocompletion=lambda incomplete: completions().templates(incomplete),
        ),
    ] = ""
    values: Annotated[
        list[str] | None, typer.Option("--param", "-P", help="A value for the template: name=value (repeatable).")
    ] = None
    continue_latest: Annotated[bool, typer.Option("--continue", "-c", help="Continue the latest session.")] = False
    session: Annotated[
        str,
        typer.Option(
            "--session",
            callback=not_empty,
            help="Continue this session: its id, as asst sessions list shows it.",
            autocompletion=lambda incomplete: completions().sessions(incomplete),
        ),
    ] = ""
    wait: Annotated[bool, typer.Option("--wait", help="Wait while another process has the session open.")] = False
    attach: Annotated[
        list[str] | None,
        typer.Option(
            "--attach",
            "-a",
            metavar="PATH|URL|-",
            help="Send this file with the message: image, PDF, audio, video or text; - is stdin.",
        ),
    ] = None
    fork: Annotated[bool, typer.Option("--fork", help="Continue in a copy of the session.")] = False
    no_save: Annotated[bool, typer.Option("--no-save", help="Don't save this conversation.")] = False
    tools: Tools = None
    no_tools: Annotated[bool, typer.Option("--no-tools", help="Offer no tools, whatever the profile says.")] = False
    yes: Annotated[bool, typer.Option("--yes", help="Run every tool without asking.")] = False
    mediator: Annotated[
        str,
        typer.Option(
            "--mediator",
            envvar="ASST_MEDIATOR",
            help="Mediator to use: state-machine checks every step, basic doesn't.",
        ),
    ] = "state-machine"
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--option",
            "-O",
            metavar="KEY=VALUE",
            help="A setting of the provider's API: temperature=0.2.",
            autocompletion=lambda ctx, incomplete: completions().settings(ctx, incomplete),
        ),
    ] = None
    fallbacks: Annotated[
        list[str] | None,
        typer.Option(
            "--fallback",
            metavar="PROFILE",
            help="Profile that answers when the others fail before their first piece.",
            autocompletion=lambda incomplete: completions().profiles(incomplete),
        ),
    ] = None
    max_cost: Annotated[
        float | None,
        typer.Option("--max-cost", metavar="USD", help="Send no request that could make this run cost more."),
    ] = None
    no_stream: Annotated[bool, typer.Option("--no-stream", help="Request the answer in one piece.")] = False
    background: Annotated[
        bool, typer.Option("--background", help="Let the provider work in the background, and poll for the answer.")
    ] = False
    states: Annotated[bool, typer.Option("--states", help="Print the states that each turn passed through.")] = False
    timeout: Annotated[
        float | None,
        typer.Option("--timeout", min=0.0, metavar="SECONDS", help="Stop an answer after this many seconds."),
    ] = None


def on_command_line(context: typer.Context, *names: str) -> frozenset[str]:
    """Those of the options (all that have been read, if none is named) that stand on the command line itself, not in the
    environment.
    """
    sources = {name: context.get_parameter_source(name) for name in names or context.params}
    return frozenset(name for name, source in sources.items() if source is not None and source.name == "COMMANDLINE")


def takes_conversation_options(command: Callable[..., None]) -> Callable[..., None]:
    """Replace the first parameter of a command by the options that it consists of."""
    shared = inspect.signature(ConversationOptions, eval_str=True).parameters
    _, *own = inspect.signature(command, eval_str=True).parameters.values()

    def run(**values: Any) -> None:
        options = ConversationOptions(**{name: values.pop(name) for name in shared})
        command(options, **values)

    run.__name__, run.__doc__ = command.__name__, command.__doc__
    parameters = [*shared.values(), *(parameter.replace(kind=parameter.KEYWORD_ONLY) for parameter in own)]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # typer reads the options from it
    return run
