"""A provider that a package registers is set up, listed, shown, checked, completed and diagnosed like our own."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from servers import ResponsesServer, Say

from .conftest import ASST, Asst, Complete, profiles
from .tmux import Tmux

PROVIDER = """
import pathlib
from typing import Any

from asstproxy.config.profiles import Profile
from asstproxy.config.provider_info import ProviderInfo, SetupQuestion
from asstproxy.providers.connection import ServerOptions, http_transport
from asstproxy.providers.model_list import fetch_models
from asstproxy.providers.openai.provider import ResponsesProvider

pathlib.Path(__file__).with_name("imported").touch()

INFO = ProviderInfo(
    title="Example's models",
    vendor="Example",
    key_variables=("EXAMPLE_OLD_KEY", "EXAMPLE_KEY"),
    keys_url="https://example.org/keys",
    base_url="https://api.example.org/v1",
    base_url_variables=("EXAMPLE_URL",),
    default_model="small",
    models={"small": "cheap", "large": "better"},
    questions=(
        SetupQuestion("region", "Region of the servers.", default="eu", choices=("eu", "us"), asked=True),
        SetupQuestion("team", "Team that pays.", asked=True),
        SetupQuestion("beta", "Use what is new.", choices=("true", "false")),
        SetupQuestion("name", "What the server calls you."),
    ),
)


class Options(ServerOptions, frozen=True):
    region: str = "eu"
    team: str = ""
    beta: bool = False
    name: str = ""


def connect(profile: Profile, *, client: Any = None) -> ResponsesProvider:
    return ResponsesProvider(transport(profile), provider="acme", model=profile.model or INFO.default_model)


async def models(profile: Profile):
    return await fetch_models(transport(profile), "/models", INFO.models)


def transport(profile: Profile):
    info = INFO if needs_key(profile) else INFO._replace(key_variables=())
    return http_transport(profile, profile.read(Options), info)


def needs_key(profile: Profile) -> bool:
    return profile.options.get("team") != "guests"
"""
BARE = """
from asstproxy.providers.connection import ServerOptions, http_transport
from asstproxy.config.provider_info import ProviderInfo
from asstproxy.providers.openai.provider import ResponsesProvider

def connect(profile, *, client=None):
    transport = http_transport(profile, profile.read(ServerOptions), ProviderInfo("bare"))
    return ResponsesProvider(transport, provider="bare", model=profile.model)
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """As if packages had brought the providers `acme`, `bare` (which declares nothing) and `broken`; the packages' folder."""
    folder = tmp_path / "packages"
    (folder / "acme_provider-1.0.dist-info").mkdir(parents=True)
    (folder / "acme_provider-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1\n")
    (folder / "acme_provider-1.0.dist-info" / "entry_points.txt").write_text(
        "[asstproxy.providers]\nacme = acme_provider:connect\nbare = bare_provider:connect\nbroken = gone:connect\n"
    )
    (folder / "acme_provider.py").write_text(PROVIDER)
    (folder / "bare_provider.py").write_text(BARE)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return folder


@pytest.fixture
def example(installed: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ResponsesServer]:
    """Example's API, where the environment says; the key is not set."""
    with ResponsesServer(key="ex-0123456789", models={"large": None, "small": None, "old": "2020-01-01"}) as server:
        monkeypatch.setenv("EXAMPLE_URL", server.base_url)
        server.brain = lambda _: [Say("Paris.")]
        yield server


def test_help_lists_it_with_its_title(asst: Asst, installed: Path) -> None:
    """`asst setup -h` has our providers, third parties' and the verbs; its own help has its own options."""
    text = asst("setup", "-h").out
    for name, about in {
        "acme": "Example's models.",
        "bare": "Bare.",
        "broken": "Broken.",
        "list": "List the profiles.",
    }.items():
        assert re.search(rf"^  {name} +{re.escape(about)}$", text, re.MULTILINE)
    text = asst("setup", "acme", "-h").out
    for option in ("--region <eu|us>", "--team <str>", "--beta / --no-beta", "--model", "--key-stdin", "--acme-name"):
        assert option in text


def test_set_up_with_options(asst: Asst, example: ResponsesServer, config: Path, credentials: Path) -> None:
    """Key from stdin, checked with its own list of models; its options are in the profile; it answers."""
    ran = asst(
        "setup", "acme", "--key-stdin", "-m", "large", "--region", "us", "--beta", "--acme-name", "ada", "--yes",
        stdin=example.key,
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert f"Found: EXAMPLE_URL = {example.base_url}." in ran.err
    assert "Checked: EXAMPLE_KEY works, 3 models." in ran.err
    assert profiles(config)["acme"] == {
        "provider": "acme", "model": "large", "region": "us", "beta": True, "name": "ada",
    }  # fmt: skip
    assert credentials.read_text() == f'EXAMPLE_KEY = "{example.key}"\n'
    assert asst("ask", "hi").out == "Paris.\n"
    assert asst("setup", "acme", "--no-beta", "--yes").code == 0
    assert profiles(config)["acme"]["beta"] is False
    assert profiles(config)["acme"]["region"] == "us"


def test_default_of_a_question_is_written(asst: Asst, installed: Path, config: Path) -> None:
    """Without an answer a question's default counts; without a default the key is left out."""
    assert asst("setup", "acme", "--no-check", "--yes").code == 0
    assert profiles(config)["acme"] == {"provider": "acme", "region": "eu"}


@pytest.mark.parametrize("arguments", [["--region", "mars"], ["--colour", "blue"], ["--base-url", "example.org"]])
def test_wrong_option(asst: Asst, installed: Path, config: Path, arguments: list[str]) -> None:
    """One line, exit code 2, nothing changed."""
    ran = asst("setup", "acme", *arguments, "--yes")
    assert ran.code == 2
    assert arguments[0] in ran.complaint
    assert not config.exists()


def test_missing_key(asst: Asst, example: ResponsesServer) -> None:
    """Setup, list, show, check, doctor and ask agree: which key is missing, and what to run; it is true."""
    ran = asst("setup", "acme", "--yes")
    assert ran.code == 0, ran.err
    assert "EXAMPLE_KEY is not set" in ran.err
    assert "asst setup acme --key-stdin" in ran.err
    assert asst("setup", "list").out.splitlines()[-1].split() == ["*", "acme", "acme", "-", "missing"]
    shown = json.loads(asst("setup", "show", "acme", "--json").out)
    assert (shown["key"], shown["key_variable"]) == ("missing", "EXAMPLE_KEY")
    (row,) = json.loads(asst("setup", "check", "--json").out)
    assert (row["key"], row["model_answers"]) == ("missing", "-")
    assert "EXAMPLE_KEY is not set" in row["problem"]
    found = _doctor(asst)
    assert found["keys", "EXAMPLE_KEY"] == ("warning", "missing; the profile acme needs it")
    assert found["servers", "acme"] == ("ok", f"{example.base_url} can be reached")
    ran = asst("ask", "hi")
    assert ran.code == 3
    assert "asst setup acme" in ran.complaint
    assert "https://example.org/keys" in ran.complaint
    assert asst("setup", "acme", "--key-stdin", "--yes", stdin=example.key).code == 0
    assert asst("ask", "hi").code == 0


def test_hint_for_a_profile_of_another_name(asst: Asst, example: ResponsesServer) -> None:
    """The command in the hint changes that very profile."""
    assert asst("setup", "acme", "--name", "work", "--api-key-env", "WORK_KEY", "--yes").code == 0
    assert "asst setup acme --name work" in asst("ask", "-p", "work", "hi").complaint
    assert "asst setup acme --name work" in asst("doctor", "--offline").out
    assert asst("setup", "acme", "--name", "work", "--key-stdin", "--yes", stdin=example.key).code == 0
    assert asst("ask", "-p", "work", "hi").code == 0


def test_key_that_is_present(asst: Asst, example: ResponsesServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key under the older name counts, too, wherever it is looked for."""
    monkeypatch.setenv("EXAMPLE_OLD_KEY", example.key)
    ran = asst("setup", "acme", "--yes")
    assert "Checked: EXAMPLE_OLD_KEY works" in ran.err
    assert asst("setup", "list").out.splitlines()[-1].split() == ["*", "acme", "acme", "-", "environment"]
    (row,) = json.loads(asst("setup", "check", "--json").out)
    assert (row["key"], row["reachable"], row["model"], row["streaming"]) == ("environment", "yes", "small", "yes")
    assert _doctor(asst)["keys", "EXAMPLE_OLD_KEY"] == ("ok", "present (environment)")


def test_key_that_is_refused(
    asst: Asst, example: ResponsesServer, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says where keys come from, and changes nothing; `check` says that the key is refused."""
    monkeypatch.setenv("EXAMPLE_KEY", "ex-wrong-0123456789")
    ran = asst("setup", "acme", "--yes")
    assert ran.code == 3
    assert "Check EXAMPLE_KEY, or create a new key: https://example.org/keys" in ran.complaint
    assert "ex-wrong" not in ran.all
    assert not config.exists()
    assert asst("setup", "acme", "--no-check", "--yes").code == 0
    (row,) = json.loads(asst("setup", "check", "--json").out)
    assert (row["key"], row["reachable"]) == ("refused", "yes")


def test_key_of_another_vendor_is_not_sent(asst: Asst, installed: Path, config: Path) -> None:
    """A provider that names its vendor is protected, too."""
    ran = asst("setup", "acme", "--yes", env={"EXAMPLE_KEY": "sk-proj-0123456789abcdef"})
    assert ran.code == 3
    assert "EXAMPLE_KEY holds a key of OpenAI, not of Example. It was not sent." in ran.complaint


def test_model_that_does_not_exist(asst: Asst, example: ResponsesServer, config: Path) -> None:
    """Its own models are offered instead."""
    ran = asst("setup", "acme", "-m", "larg", "--yes", env={"EXAMPLE_KEY": example.key})
    assert ran.code == 3
    assert 'acme has no model "larg"' in ran.complaint
    assert "Did you mean large" in ran.complaint


def test_profile_that_needs_no_key(asst: Asst, example: ResponsesServer) -> None:
    """The provider itself says which profiles need none: nothing asks for one."""
    example.key = ""
    ran = asst("setup", "acme", "--team", "guests", "--yes")
    assert ran.code == 0, ran.err
    assert "EXAMPLE_KEY" not in ran.err
    assert "Checked: the server answers, 3 models." in ran.err
    assert asst("setup", "list").out.splitlines()[-1].split()[-2:] == ["not", "needed"]
    assert asst("setup", "acme", "--key-stdin", "--yes", stdin="x").code == 2


def test_provider_that_declares_nothing(asst: Asst, example: ResponsesServer, config: Path) -> None:
    """Whether it needs a key is unknown until a variable is named; what was not checked is not called good."""
    ran = asst("setup", "bare", "--base-url", example.base_url, "-m", "small", "--yes")
    assert ran.code == 0, ran.err
    assert "Not checked: bare has no list of models. Test the profile: asst setup check bare" in ran.err
    assert asst("setup", "list").out.splitlines()[-1].split()[-1] == "unknown"
    env = {"BARE_KEY": example.key}
    assert asst("setup", "bare", "--api-key-env", "BARE_KEY", "--yes", env=env).code == 0
    assert asst("setup", "list").out.splitlines()[-1].split()[-1] == "missing"
    (row,) = json.loads(asst("setup", "check", "--json", env=env).out)
    assert (row["key"], row["model_answers"]) == ("environment", "yes")


def test_provider_that_cannot_be_loaded(asst: Asst, installed: Path, config: Path) -> None:
    """One broken package breaks no list; whoever uses it reads what is wrong."""
    config.parent.mkdir()
    config.write_text('default = "broken"\n[profiles.broken]\n')
    assert asst("setup", "list").code == 0
    for ran in (asst("ask", "hi"), asst("setup", "broken", "--yes"), asst("setup", "check")):
        assert "The provider 'broken' can't be loaded: ModuleNotFoundError: No module named 'gone'" in ran.all
        assert "Traceback" not in ran.all
    assert _doctor(asst)["profiles", "broken"][0] == "broken"


def test_unknown_provider(asst: Asst, installed: Path) -> None:
    """A name that no package brings: the nearest one."""
    assert "Did you mean acme?" in asst("setup", "acmee").complaint


def test_completion(asst: Asst, complete: Complete, example: ResponsesServer, installed: Path) -> None:
    """Names come without importing the provider; its options and the models it listed last are offered."""
    assert complete("asst setup ac") == ["acme"]
    assert complete("asst setup ", "fish")[0] == "gpt\tGPT, over OpenAI's API"
    assert not (installed / "imported").exists()
    assert complete("asst setup acme --re") == ["--region"]
    assert complete("asst setup acme --region ") == ["eu", "us"]
    assert complete("asst setup acme -m ") == []
    assert asst("setup", "acme", "--key-stdin", "--yes", stdin=example.key).code == 0
    assert complete("asst setup acme -m ") == ["small", "large", "old"]
    assert complete("asst ask -m sm") == ["small"]
    assert complete("asst ask -p ac") == ["acme"]


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
def test_wizard(example: ResponsesServer, config: Path, credentials: Path) -> None:
    """`asst setup` offers it, asks what it wants to know, and takes its key; a second run proposes the saved answers."""
    with Tmux([ASST, "setup"]) as screen:
        screen.wait_for("Assistant [4]:")
        assert "acme              Example's models" in screen.text
        screen.type("acme")
        screen.wait_for("Region of the servers [1]:")
        screen.type("us")
        screen.wait_for("Team that pays:")
        screen.type("Core Team")
        screen.wait_for("Create a key: https://example.org/keys")
        screen.wait_for("Paste the key")
        screen.type(example.key)
        screen.wait_for("Model [1]:")
        screen.type("large")
        _leave_the_rest(screen)
        screen.wait_end(0)
    expected = {"provider": "acme", "region": "us", "team": "Core Team", "model": "large"}
    assert profiles(config)["acme"] == expected
    assert credentials.read_text() == f'EXAMPLE_KEY = "{example.key}"\n'
    with Tmux([ASST, "setup", "acme"]) as screen:
        screen.wait_for("Region of the servers [2]:")
        screen.type("")
        screen.wait_for("Team that pays [Core Team]:")
        screen.type("")
        screen.wait_for("Model [2]:")
        screen.type("small")
        _leave_the_rest(screen)
        screen.wait_end(0)
    assert profiles(config)["acme"] == expected | {"model": "small"}


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
@pytest.mark.parametrize("provider", ["bare", "chat-completions"])
def test_wizard_asks_for_a_server(example: ResponsesServer, config: Path, credentials: Path, provider: str) -> None:
    """For a provider that works with any server, or declares nothing: its URL, and the variable of its key."""
    with Tmux([ASST, "setup", provider, "-m", "small", "-s", "x", "--no-tools"]) as screen:
        screen.wait_for("URL of the server:")
        screen.type("localhost")
        screen.wait_for("URL of the server:", 2)
        screen.type(example.base_url)
        screen.wait_for("Environment variable of its key, if it needs one:")
        screen.type("not a name")
        screen.wait_for("Environment variable of its key, if it needs one:", 2)
        screen.type("SERVER_KEY")
        screen.wait_for("Paste the key")
        screen.type(example.key)
        screen.wait_for("Save this?")
        screen.type("")
        text = screen.wait_end(0)
    assert "--base-url must be a URL." in text
    assert ("Checked: SERVER_KEY works, 3 models." in text) == (provider == "chat-completions")
    assert profiles(config)[provider] == {
        "provider": provider, "model": "small", "instructions": "x", "base_url": example.base_url,
        "api_key_env": "SERVER_KEY",
    }  # fmt: skip
    assert credentials.read_text() == f'SERVER_KEY = "{example.key}"\n'


def _leave_the_rest(screen: Tmux) -> None:
    screen.wait_for("Instructions:", 2)
    screen.type("")
    screen.wait_for("Tools:", 2)
    screen.type("")
    screen.wait_for("Save this?")
    screen.type("")


def _doctor(asst: Asst) -> dict[tuple[str, str], tuple[str, str]]:
    report = json.loads(asst("doctor", "--json").out)
    return {(one["group"], one["what"]): (one["status"], one["text"]) for one in report["findings"]}


KEEPER = """
from pathlib import Path

from asstproxy.provider import Profile, Provisioned, ProviderInfo

INFO = ProviderInfo("what is kept in a file", remote="place")
SERVER = Path(__file__).with_name("server")


def connect(profile, *, client=None):
    raise NotImplementedError


async def provision(profile: Profile, tools):
    again = "place" in profile.options
    SERVER.write_text(" ".join([profile.instructions, *(tool.name for tool in tools)]))
    return Provisioned({"place": "p1"}, "Changed p1." if again else "Made p1.")


async def withdraw(profile: Profile) -> str:
    SERVER.unlink()
    return f"Gone: {profile.options['place']}."
"""


def test_what_it_keeps_at_its_server(asst: Asst, installed: Path, config: Path) -> None:
    """A provider of another package creates, updates and deletes something, too: by two functions and a key of the profile."""
    (installed / "bare_provider.py").write_text(KEEPER)
    kept = installed / "server"
    ran = asst("setup", "bare", "--preset", "stocks", "--no-check", "--yes")
    assert (ran.code, "Made p1." in ran.err) == (0, True), ran.err
    assert kept.read_text().endswith(" get_stock_price buy_or_sell")
    assert profiles(config)["bare"]["place"] == "p1"
    assert "Changed p1." in asst("setup", "bare", "-s", "Be kind.", "--no-check", "--yes").err
    assert kept.read_text().startswith("Be kind.")
    assert "p1 stays at its server" in asst("setup", "remove", "bare", "--yes").err
    assert kept.exists()
    assert asst("setup", "bare", "--no-check", "--yes").code == 0
    assert "Gone: p1." in asst("setup", "remove", "bare", "--remote", "--yes").err
    assert not kept.exists()
