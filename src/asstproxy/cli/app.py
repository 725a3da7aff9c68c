"""The commands of `asst`: signatures and help. What a command needs is imported in its body, so that `--help` stays fast."""

from __future__ import annotations

from typing import Annotated

import typer

from . import options as o
from .replay_app import replay
from .sessions.app import sessions
from .setup.app import app as setup
from .tools.app import tools

__all__ = ["app"]

# Rich's help would cost 0.1 s; plain help reads as well in a pipe.
app = typer.Typer(
    name="asst",
    help="Conversations with GPT, Gemini and local models that you can watch, stop, resume and replay.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
app.add_typer(sessions, name="sessions")
app.command()(replay)
app.add_typer(setup, name="setup")
app.add_typer(tools, name="tools")


@app.callback()
def root(
    version: Annotated[bool, typer.Option("--version", "-V", help="Print the version.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,  # noqa: ARG001 - see run.py
    env_file: Annotated[  # noqa: ARG001 - see run.py
        str, typer.Option("--env-file", help="Read variables from this file (.env); those that are set go before.")
    ] = "",
) -> None:
    """Conversations with GPT, Gemini and local models that you can watch, stop, resume and replay."""
    if version:
        from .._version import __version__

        typer.echo(f"asst {__version__}")
        raise typer.Exit


@app.command()
def ask(
    prompt: Annotated[
        list[str] | None, typer.Argument(help="The message; stdin is appended to it, - waits for it.")
    ] = None,
    profile: o.ProfileName = "",
    model: o.Model = "",
    system: o.System = None,
    continue_: o.Continue = False,
    session: o.SessionId = "",
    wait: o.Wait = False,
    fork: o.Fork = False,
    no_save: o.NoSave = False,
    tool: o.Tool = None,
    no_tools: o.NoTools = False,
    yes: o.Yes = False,
    mediator: o.MediatorName = "state-machine",
    no_stream: o.NoStream = False,
    background: o.Background = False,
    timeout: o.Timeout = None,
    retry: Annotated[
        bool, typer.Option("--retry", help="Ask the last message of the session again (-c, --session).")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object at the end.")] = False,
    events: Annotated[bool, typer.Option("--events", help="Print every step as a JSON line.")] = False,
    raw: Annotated[bool, typer.Option("--raw", help="Let the answer's control characters reach the terminal.")] = False,
    quiet: o.Quiet = False,
) -> None:
    """Ask once. Stdout is the answer and nothing else."""
    from ..core.warnings import set_listener
    from .ask import Output, ask
    from .conversation_setup import ConversationOptions
    from .event_loop import run

    wanted = ConversationOptions(
        profile, model, system, continue_, session, no_save, tuple(tool or ()), no_tools, yes, mediator, not no_stream,
        background, timeout, wait, fork,
    )  # fmt: skip
    if quiet:
        set_listener(lambda _: None)
    raise typer.Exit(
        run(lambda signals: ask(prompt or [], wanted, Output(json, events, raw, quiet), signals, retry=retry))
    )


@app.command()
def chat(
    profile: o.ProfileName = "",
    model: o.Model = "",
    system: o.System = None,
    continue_: o.Continue = False,
    session: o.SessionId = "",
    wait: o.Wait = False,
    fork: o.Fork = False,
    no_save: o.NoSave = False,
    tool: o.Tool = None,
    no_tools: o.NoTools = False,
    yes: o.Yes = False,
    mediator: o.MediatorName = "state-machine",
    no_stream: o.NoStream = False,
    background: o.Background = False,
    timeout: o.Timeout = None,
) -> None:
    """Talk, and see every step of the script. /help lists what else can be typed."""
    from .chat.chat import chat
    from .conversation_setup import ConversationOptions
    from .event_loop import run

    wanted = ConversationOptions(
        profile, model, system, continue_, session, no_save, tuple(tool or ()), no_tools, yes, mediator, not no_stream,
        background, timeout, wait, fork,
    )  # fmt: skip
    raise typer.Exit(run(lambda signals: chat(wanted, signals)))


@app.command()
def doctor(
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Reach for no server.")] = False,
) -> None:
    """Tell what is installed, set up and reachable, without a secret: to be pasted into a bug report."""
    from .doctor.command import doctor

    raise typer.Exit(doctor(as_json=json, offline=offline))


@app.command()
def script() -> None:
    """Print the interaction script as a Mermaid diagram."""
    from ..core.script import mermaid

    typer.echo(mermaid())
