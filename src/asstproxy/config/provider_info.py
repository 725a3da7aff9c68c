"""What each provider declares about itself: its name for people, where its key comes from, its models.

`asst setup`, `asst doctor` and shell completion read it, so that no code outside of a provider knows a vendor. A third party's
module has such a value named `INFO`. This file imports only tables, because shell completion reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from .setting_tables import ANTHROPIC, GEMINI, LOCAL, RESPONSES, Setting

__all__ = ["BUILT_IN", "SERVER_QUESTIONS", "ProviderInfo", "Setting", "SetupQuestion"]


class SetupQuestion(NamedTuple):
    """An option of `asst setup NAME`: `key` of the profile, as `--key` on the command line.

    `prompt` is its help text and, where `asked`, the question. With `choices`, the answer is one of them; the choices `true`
    and `false` stand for a boolean. An empty answer takes `default`, and an empty default leaves the key out. `base_url` and
    `api_key_env` are options of every provider; a question for them is what the wizard asks.
    """

    key: str
    prompt: str
    default: str = ""
    choices: tuple[str, ...] = ()
    asked: bool = False


class ProviderInfo(NamedTuple):
    """What a provider declares about itself.

    `title` names it in a list. `vendor` is whose keys these are. `key_variables` are the environment variables that may hold
    the key, the usual one last; none: no key is needed. `keys_url` is the page where keys are made. `base_url` is the API's
    usual address, `base_url_variables` are those that replace it. `default_model` answers when a profile names none; `models`
    are worth offering first, each with a word about it. `questions` are what `asst setup` takes beyond key, address and model.
    `key_optional`: some servers need no key, so none is missing where none is set. `remote` is the key of a profile that names
    what `asst setup` creates at the server; the provider's module then has `provision` and `withdraw`.
    `prices` is the provider's id in the table of `genai-prices` where it isn't its name; `local` if nothing is paid. `settings` are
    the API's parameters that `-O` knows by type, and `output_limit` is the one of them that limits the tokens of an answer.
    `key_header` has the key instead of a bearer token.
    `lists_models`: the API has a list of the models that the key may use. `base_url` may contain `{places}`: options of the
    profile, or else the environment variables that `places` gives for them (empty: none). `more_base_urls` are tried before it:
    the first counts of which every place has a value; it may end in a query.
    """

    title: str
    vendor: str = ""
    key_variables: tuple[str, ...] = ()
    keys_url: str = ""
    base_url: str = ""
    base_url_variables: tuple[str, ...] = ()
    default_model: str = ""
    models: Mapping[str, str] = {}
    questions: tuple[SetupQuestion, ...] = ()
    key_optional: bool = False
    remote: str = ""
    prices: str = ""
    settings: Mapping[str, Setting] = {}
    output_limit: str = ""
    key_header: str = ""
    lists_models: bool = True
    more_base_urls: tuple[str, ...] = ()
    places: Mapping[str, str] = {}


SERVER_QUESTIONS = (
    SetupQuestion("base_url", "URL of the server", asked=True),
    SetupQuestion("api_key_env", "Environment variable of its key, if it needs one", asked=True),
)
"""For a provider that works with any server of its protocol."""

_TRANSPORT = SetupQuestion("transport", "http, or sdk: the vendor's own client.", choices=("http", "sdk"))

BUILT_IN: dict[str, ProviderInfo] = {
    "gpt": ProviderInfo(
        title="GPT, over OpenAI's API",
        vendor="OpenAI",
        key_variables=("OPENAI_API_KEY",),
        keys_url="https://platform.openai.com/api-keys",
        base_url="https://api.openai.com/v1",
        base_url_variables=("OPENAI_BASE_URL",),
        default_model="gpt-6-luna",
        models={"gpt-6-luna": "cheapest", "gpt-6.1-terra": "fast", "gpt-6.2-sol": "everyday", "gpt-6.2-astra": "top"},
        questions=(_TRANSPORT,),
        prices="openai",
        settings=RESPONSES,
        output_limit="max_output_tokens",
    ),
    "gemini": ProviderInfo(
        title="Gemini, over Google's API",
        vendor="Google",
        key_variables=("GOOGLE_API_KEY", "GEMINI_API_KEY"),
        keys_url="https://aistudio.google.com/apikey",
        base_url="https://generativelanguage.googleapis.com",
        base_url_variables=("GOOGLE_GEMINI_BASE_URL", "GOOGLE_VERTEX_BASE_URL"),
        default_model="gemini-3.8-flash",
        models={
            "gemini-3.5-flash-lite": "cheapest",
            "gemini-3.8-flash": "everyday",
            "gemini-4-hydrogen": "fast",
            "gemini-4-carbon": "top",
        },
        questions=(
            _TRANSPORT,
            SetupQuestion("api", "generate, or interactions: the newer API.", choices=("generate", "interactions")),
            SetupQuestion("vertex", "Use Agent Platform (Google Cloud).", choices=("true", "false")),
            SetupQuestion("project", "The Google Cloud project."),
            SetupQuestion("location", "The Google Cloud location: global, us, eu or a region."),
        ),
        prices="google",
        settings=GEMINI,
        output_limit="max_output_tokens",
    ),
    "anthropic": ProviderInfo(
        title="Claude, over Anthropic's API",
        vendor="Anthropic",
        key_variables=("ANTHROPIC_API_KEY",),
        keys_url="https://platform.claude.com/settings/keys",
        base_url="https://api.anthropic.com",
        base_url_variables=("ANTHROPIC_BASE_URL",),
        default_model="claude-sonnet-5-5",
        models={"claude-haiku-5-5": "cheapest", "claude-sonnet-5-5": "everyday", "claude-opus-5-5": "top"},
        settings=ANTHROPIC,
        output_limit="max_tokens",
    ),
    "local": ProviderInfo(
        title="a model on this machine: no key, no network",
        questions=(SetupQuestion("chat_template", "A Jinja template to use instead of the model's."),),
        prices="local",
        settings=LOCAL,
        output_limit="max_output_tokens",
    ),
}
"""The profiles that always exist; each has the name of its provider. Models as of November 2026."""
