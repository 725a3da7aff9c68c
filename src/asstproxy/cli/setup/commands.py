"""The commands of `asst setup`: one for each provider, made from what it declares, and one for each verb."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from copy import copy
from typing import Annotated, Any, Literal, get_args

import typer
from typer.core import TyperCommand

from ...config.provider_info import BUILT_IN, SetupQuestion
from ...config.vendors import VENDORS
from ...core.errors import UsageError
from ...providers.registry import provider_info, provider_names
from .. import completion
from .setup_options import SetupOptions
from .steps import steps_of

__all__ = ["bare_command", "build_command", "command_names", "unknown_command"]

Profile = Annotated[str, typer.Argument(help="Profile.", autocompletion=completion.profiles)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Ask no questions.")]

COMMON_KEYS = ("base_url", "api_key_env")
"""Keys of a profile for which every provider has an option."""

verbs = typer.Typer(rich_markup_mode=None, add_completion=False)


@verbs.command("list")
def list_(json: Json = False) -> None:
    """List the profiles."""
    from .manage import list_profiles

    list_profiles(as_json=json)


@verbs.command()
def show(profile: Profile = "", json: Json = False) -> None:
    """Show a profile. Without a name, the default profile."""
    from .manage import show_profile

    show_profile(profile, as_json=json)


@verbs.command()
def use(profile: Profile) -> None:
    """Make a profile the default."""
    from .manage import use_profile

    use_profile(profile)


@verbs.command()
def remove(
    profile: Profile,
    key: Annotated[bool, typer.Option("--key", help="Delete its saved key, too.")] = False,
    remote: Annotated[bool, typer.Option("--remote", help="Delete what asst created at its server, too.")] = False,
    yes: Yes = False,
) -> None:
    """Remove a profile from the file."""
    from .manage import remove_a_profile

    remove_a_profile(profile, key=key, remote=remote, yes=yes)


@verbs.command()
def edit() -> None:
    """Open the profiles in $VISUAL or $EDITOR. A file with an error isn't saved."""
    from .manage import edit_config

    edit_config()


@verbs.command()
def check(
    profiles: Annotated[
        list[str] | None,
        typer.Argument(help="Profiles. Default: all that are set up.", autocompletion=completion.profiles),
    ] = None,
    timeout: Annotated[float, typer.Option("--timeout", min=1.0, help="Seconds for each question.")] = 60.0,
    json: Json = False,
) -> None:
    """Ask each profile a question, and print what works."""
    from .check import check_profiles

    raise typer.Exit(check_profiles(profiles or [], timeout, as_json=json))


def command_names() -> list[str]:
    """Every command: the providers, then the verbs."""
    taken = _verb_commands()
    return [*(name for name in provider_names() if name not in taken), *taken]


def build_command(name: str) -> TyperCommand | None:
    """The command of this name, if there is a verb or a provider of this name."""
    if found := _verb_commands().get(name):
        return found
    return _provider_command(name) if name in provider_names() or name in VENDORS else None


def bare_command(name: str) -> TyperCommand | None:
    """The same for a list of names: a third party's provider is not imported for its title."""
    title = BUILT_IN[name].title if name in BUILT_IN else ""
    return _verb_commands().get(name) or TyperCommand(name, help=title)


def unknown_command(name: str) -> UsageError:
    """The error for a name that is neither a verb nor a provider."""
    from difflib import get_close_matches

    near = get_close_matches(name, [*command_names(), *VENDORS], 1)
    hint = (
        f"Did you mean {near[0]}?"
        if near
        else f"Use one of: {', '.join(command_names())}; or a vendor: groq, ollama, …"
    )
    return UsageError(f'asst setup has no command "{name}", and no provider of that name is installed.', hint)


def _verb_commands() -> dict[str, TyperCommand]:
    group: Any = typer.main.get_command(verbs)
    return dict(group.commands)


def _provider_command(provider: str) -> TyperCommand:
    info, steps = provider_info(provider), steps_of(provider)
    common, own = _parameters(SetupOptions, steps.option_help), _parameters(steps, {})
    own_questions = [question for question in info.questions if question.key not in COMMON_KEYS]
    questions = {f"answer_{number}": question for number, question in enumerate(own_questions)}
    taken = {flag for parameter in (*common, *own) for flag in _flags(parameter)}
    asked = [_question_parameter(name, question, provider, taken) for name, question in questions.items()]

    def command(**values: Any) -> None:
        from .wizard import setup

        setup(
            provider,
            SetupOptions(**{parameter.name: values[parameter.name] for parameter in common}),
            steps(**{parameter.name: values[parameter.name] for parameter in own}),
            {question.key: values[name] for name, question in questions.items() if values[name] not in ("", None)},
        )

    command.__signature__ = inspect.Signature([*common, *asked, *own])  # type: ignore[attr-defined]
    one = typer.Typer(rich_markup_mode=None, add_completion=False)
    one.command(provider, help=f"{info.title[:1].upper()}{info.title[1:].rstrip('.')}.")(command)
    made: Any = typer.main.get_command(one)
    return made  # type: ignore[no-any-return]


def _parameters(source: Callable[..., Any], better_help: Mapping[str, str]) -> list[inspect.Parameter]:
    """The fields of a class as parameters of a command."""
    found = []
    for name, parameter in inspect.signature(source, eval_str=True).parameters.items():
        kind, option = get_args(parameter.annotation)
        if name in better_help:
            option = copy(option)
            option.help = better_help[name]
        found.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=Annotated[kind, option]))
    return found


def _flags(parameter: inspect.Parameter) -> tuple[str, ...]:
    option = get_args(parameter.annotation)[1]
    return (option.default, *(option.param_decls or ()))  # inside Annotated, Typer has the first one as `default`


def _question_parameter(name: str, question: SetupQuestion, provider: str, taken: set[str]) -> inspect.Parameter:
    """An option `--key` for a question; `--PROVIDER-key` where every provider has an option of that name."""
    flag = question.key.replace("_", "-")
    if f"--{flag}" in taken:
        flag = f"{provider}-{flag}"
    kind: Any = str
    names = f"--{flag}"
    if set(question.choices) == {"true", "false"}:
        kind, names = bool, f"--{flag}/--no-{flag}"
    elif question.choices:
        kind = Literal[question.choices]
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[kind | None, typer.Option(names, help=question.prompt)],
    )
