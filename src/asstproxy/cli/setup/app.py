"""The commands of `asst setup`: signatures and help; one for each assistant and each verb, all on one level."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from .. import completion

__all__ = ["app"]

app = typer.Typer(
    help="Make, check and change profiles: who answers, and how. Without a command it asks.",
    invoke_without_command=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Name = Annotated[str, typer.Option("--name", help="The profile's name, if it is to be another one.")]
Model = Annotated[str, typer.Option("--model", "-m", help="The model.", autocompletion=completion.models)]
System = Annotated[
    str | None, typer.Option("--system", "--instructions", "-s", help="Instructions: a text, or @file; '' for none.")
]
Preset = Annotated[
    str,
    typer.Option(
        "--preset", help="Instructions and tools that go together: brief, stocks.", autocompletion=completion.presets
    ),
]
Tool = Annotated[
    list[str] | None,
    typer.Option(
        "--tool", "-t", help="Functions that may be called: package.module[:function].", autocompletion=completion.tools
    ),
]
NoTools = Annotated[bool, typer.Option("--no-tools", help="Take the tools out of the profile.")]
BaseUrl = Annotated[str, typer.Option("--base-url", help="The address of the API.")]
ApiKeyEnv = Annotated[str, typer.Option("--api-key-env", help="The name of the variable that holds the key.")]
KeyStdin = Annotated[bool, typer.Option("--key-stdin", help="Read the key from stdin and keep it.")]
Keyring = Annotated[bool, typer.Option("--keyring", help="Keep the key in the keyring of the system.")]
Transport = Annotated[str, typer.Option("--transport", help="http, or sdk: the vendor's own client.")]
Default = Annotated[bool, typer.Option("--default", help="Let it answer when no profile is named.")]
NoCheck = Annotated[bool, typer.Option("--no-check", help="Do not ask the provider whether the key is good.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing.")]
ProfileArgument = Annotated[str, typer.Argument(help="A profile.", autocompletion=completion.profiles)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.callback()
def ask_which(context: typer.Context) -> None:
    """Make, check and change profiles: who answers, and how. Without a command it asks."""
    if context.invoked_subcommand is None:
        from .command import setup, which
        from .profile_draft import Answers

        setup(which(), Answers())


@app.command()
def gpt(
    name: Name = "",
    model: Model = "",
    system: System = None,
    preset: Preset = "",
    tool: Tool = None,
    no_tools: NoTools = False,
    base_url: BaseUrl = "",
    api_key_env: ApiKeyEnv = "",
    key_stdin: KeyStdin = False,
    keyring: Keyring = False,
    transport: Transport = "",
    conversation: Annotated[
        bool, typer.Option("--conversation", help="Make a Conversation at OpenAI, in which every session begins.")
    ] = False,
    default: Default = False,
    no_check: NoCheck = False,
    yes: Yes = False,
) -> None:
    """GPT, over OpenAI's API or one that is like it."""
    _setup(
        "gpt",
        {"transport": _one_of("--transport", transport, "http", "sdk")},
        name=name, model=model, system=system, preset=preset, tools=_tools(tool, none=no_tools), base_url=base_url,
        api_key_env=api_key_env, key_stdin=key_stdin, keyring=keyring, default=default, check=not no_check, yes=yes,
        conversation=conversation,
    )  # fmt: skip


@app.command()
def gemini(
    name: Name = "",
    model: Model = "",
    system: System = None,
    preset: Preset = "",
    tool: Tool = None,
    no_tools: NoTools = False,
    base_url: BaseUrl = "",
    api_key_env: ApiKeyEnv = "",
    key_stdin: KeyStdin = False,
    keyring: Keyring = False,
    transport: Transport = "",
    api: Annotated[str, typer.Option("--api", help="generate, or interactions: the newer API.")] = "",
    vertex: Annotated[
        bool | None, typer.Option("--vertex/--no-vertex", help="Ask Agent Platform (Google Cloud), or do not.")
    ] = None,
    project: Annotated[str, typer.Option("--project", help="The project of Google Cloud.")] = "",
    location: Annotated[
        str, typer.Option("--location", help="Where in Google Cloud: global, us, eu or a region.")
    ] = "",
    managed: Annotated[
        bool, typer.Option("--managed", help="Store model, instructions and tools as a managed prompt with versions.")
    ] = False,
    managed_id: Annotated[str, typer.Option("--managed-id", help="Load a managed prompt by its id.")] = "",
    default: Default = False,
    no_check: NoCheck = False,
    yes: Yes = False,
) -> None:
    """Gemini, over Google's API."""
    own = {
        "transport": _one_of("--transport", transport, "http", "sdk"),
        "api": _one_of("--api", api, "generate", "interactions"),
        "vertex": True if vertex is None and (project or managed or managed_id) else vertex,
        "project": project,
        "location": location,
    }
    _setup(
        "gemini", own,
        name=name, model=model, system=system, preset=preset, tools=_tools(tool, none=no_tools), base_url=base_url,
        api_key_env=api_key_env, key_stdin=key_stdin, keyring=keyring, default=default, check=not no_check, yes=yes,
        managed=managed_id or ("" if managed else None),
    )  # fmt: skip


@app.command()
def local(
    name: Name = "",
    model: Annotated[
        str, typer.Option("--model", "-m", help="A GGUF file, a folder with one, or the name of a server's model.")
    ] = "",
    system: System = None,
    preset: Preset = "",
    tool: Tool = None,
    no_tools: NoTools = False,
    base_url: Annotated[
        str, typer.Option("--base-url", help="A server that runs already: Ollama, LM Studio, vLLM, llama-server.")
    ] = "",
    api_key_env: ApiKeyEnv = "",
    key_stdin: KeyStdin = False,
    keyring: Keyring = False,
    chat_template: Annotated[
        str, typer.Option("--chat-template", help="A Jinja template instead of the model's.")
    ] = "",
    default: Default = False,
    no_check: NoCheck = False,
    yes: Yes = False,
) -> None:
    """A model on this machine: no key, no network."""
    _setup(
        "local",
        {"chat_template": chat_template},
        name=name, model=model, system=system, preset=preset, tools=_tools(tool, none=no_tools), base_url=base_url,
        api_key_env=api_key_env, key_stdin=key_stdin, keyring=keyring, default=default, check=not no_check, yes=yes,
    )  # fmt: skip


@app.command("list")
def list_(json: Json = False) -> None:
    """List the profiles."""
    from .manage import list_profiles

    list_profiles(as_json=json)


@app.command()
def show(profile: ProfileArgument = "", json: Json = False) -> None:
    """Show a profile; without a name, the one that answers."""
    from .manage import show_profile

    show_profile(profile, as_json=json)


@app.command()
def use(profile: ProfileArgument) -> None:
    """Let this profile answer when none is named."""
    from .manage import use_profile

    use_profile(profile)


@app.command()
def remove(
    profile: ProfileArgument,
    key: Annotated[bool, typer.Option("--key", help="Forget its key, too.")] = False,
    yes: Yes = False,
) -> None:
    """Take a profile out of the file."""
    from .manage import remove_a_profile

    remove_a_profile(profile, key=key, yes=yes)


@app.command()
def edit() -> None:
    """Open the profiles in $VISUAL or $EDITOR; what has an error is not kept."""
    from .edit import edit_config

    edit_config()


@app.command()
def check(
    profiles: Annotated[
        list[str] | None, typer.Argument(help="Profiles; all that are set up.", autocompletion=completion.profiles)
    ] = None,
    timeout: Annotated[float, typer.Option("--timeout", min=1.0, help="Seconds for each question.")] = 60.0,
    json: Json = False,
) -> None:
    """Ask each profile a real question of one word, and print what works."""
    from .check import check_profiles

    raise typer.Exit(check_profiles(profiles or [], timeout, as_json=json))


def _setup(assistant: str, own: dict[str, Any], **answers: Any) -> None:
    from .command import setup
    from .profile_draft import Answers

    setup(assistant, Answers(own={key: value for key, value in own.items() if value not in ("", None)}, **answers))


def _tools(given: list[str] | None, *, none: bool) -> tuple[str, ...] | None:
    return () if none else tuple(given) if given else None


def _one_of(option: str, value: str, *allowed: str) -> str:
    if value and value not in allowed:
        from ...core.errors import UsageError

        raise UsageError(f"'{value}' is nothing for {option}.", f"It is one of: {', '.join(allowed)}.")
    return value
