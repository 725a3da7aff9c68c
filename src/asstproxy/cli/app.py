"""The command `asst`, assembled from its commands."""

from __future__ import annotations

import sys
from importlib import import_module
from shlex import join
from typing import Annotated, Any

import typer
from typer.main import get_group

from .suggest import SuggestingGroup

__all__ = ["app"]

COMMANDS = (
    "ask",
    "chat",
    "batch",
    "setup",
    "models",
    "sessions",
    "usage",
    "replay",
    "web",
    "tools",
    "mcp",
    "templates",
    "script",
    "schema",
    "doctor",
    "help",
    "version",
)
"""In the order of the help. Each is an attribute of the file of its name in `commands`: a function, or a Typer."""


ELSEWHERE = {
    **{
        name: f"sessions {name}"
        for name in ("list", "show", "search", "export", "import", "rename", "fork", "rm", "prune", "path")
    },
    "logs": "sessions list",  # so it is called in llm, and keys
    "history": "sessions list",
    "keys": "help api-keys",
    "status": "batch status",
    "config": "setup",
    "completion": "--install-completion",
    "login": "setup",
}
"""What is typed for a command that has another name, or belongs to a group."""


class _Commands(SuggestingGroup):
    """Loads a command when it is needed: `asst ask` does not pay for the options of `asst setup`."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands: dict[str, Any] = dict.fromkeys(COMMANDS)

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - typer's signature
        """The names, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - typer's signature
        """The command of that name, if there is one."""
        if cmd_name in COMMANDS and self.commands[cmd_name] is None:
            self.commands[cmd_name] = _build(cmd_name)
        return self.commands.get(cmd_name)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The arguments after the options of `asst` itself. An option of `ask` that stands there is told its place."""
        typed = list(args)  # the parser takes from `args`
        try:
            return super().parse_args(ctx, args)
        except Exception as error:
            option = getattr(error, "option_name", "")
            if option and any(option in one.opts for one in self.get_command(ctx, "ask").params):
                ctx.fail(f"No such option: {option}. It follows the command: asst ask {join(typed)}.")
            raise

    def hint(self, args: list[str], near: list[str]) -> str:
        """What was probably meant: a command, one of a group, or a question without `ask`."""
        question = " ".join(args)
        words = len(question.split())
        if question.endswith("?") or words > (2 if near else 1):
            return f'To ask it: asst ask "{question}"'
        if args[0] in ELSEWHERE:
            return f"Did you mean '{ELSEWHERE[args[0]]}'?"
        return super().hint(args, near)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - typer's signature
        """The first sentence of each command, for which its options need not be built."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, _summary(_load(name))) for name in COMMANDS])


def _load(name: str) -> Any:
    return getattr(import_module(f".commands.{name}", __package__), name)


def _summary(command: Any) -> str:
    text = command.info.help if isinstance(command, typer.Typer) else command.__doc__
    return f"{str(text).partition('.')[0]}."


def _build(name: str) -> Any:
    command, part = _load(name), typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
    if isinstance(command, typer.Typer):
        part.add_typer(command, name=name)
    else:
        module = import_module(f".commands.{name}", __package__)
        part.command(name, cls=getattr(module, "COMMAND_CLASS", None))(command)
    return get_group(part).commands[name]


# Rich's help would cost 0.1 s; plain help reads as well in a pipe.
app = typer.Typer(
    name="asst",
    cls=_Commands,
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)


@app.callback()
def root(
    version: Annotated[bool, typer.Option("--version", "-V", help="Print the version.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,  # noqa: ARG001 - see main.py
    env_file: Annotated[  # noqa: ARG001 - see main.py
        str, typer.Option("--env-file", help="Read variables from this file (default: .env). Those already set win.")
    ] = "",
    color: Annotated[str, typer.Option("--color", help="Use colors: auto, always, never.")] = "auto",  # noqa: ARG001 - see look.py
    theme: Annotated[  # noqa: ARG001 - see look.py
        str, typer.Option("--theme", help="Colors for a dark or light screen: auto, dark, light, mono.")
    ] = "auto",
    plain_ui: Annotated[  # noqa: ARG001 - see look.py
        bool, typer.Option("--plain-ui", help="For screen readers: nothing is redrawn, words replace marks.")
    ] = False,
) -> None:
    """Conversations with GPT, Gemini, Claude and local models that you can watch, stop, resume and replay."""
    if version:
        from .._version import __version__

        sys.stdout.write(f"asst {__version__}\n")
        raise typer.Exit
