"""Vendors of Chat Completions: a row of a table each, which `asst ask -p` and `asst setup` take for a provider."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest

from asstproxy.config.profiles import Config
from asstproxy.config.provider_info import BUILT_IN
from asstproxy.config.vendors import VENDORS
from asstproxy.core.errors import NotSetUpError
from asstproxy.providers import connect
from asstproxy.providers.registry import address, provider_names
from servers import ResponsesServer, Say, VendorServer

from .conftest import Asst, Complete, profiles


@pytest.fixture
def groq(config: Path) -> Iterator[ResponsesServer]:
    """A server in the place of Groq's."""
    with ResponsesServer([[Say("Hello.")]], key="gsk_test0123456789", models={"llama": None, "qwen": None}) as server:
        config.parent.mkdir(exist_ok=True)
        config.write_text(f'[profiles.groq]\nbase_url = "{server.base_url}"\n')
        yield server


@pytest.mark.parametrize("name", VENDORS)
def test_every_row_is_a_profile(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a file, it asks the address of the row; a hosted one wants its key, and says where keys are made."""
    assert name not in {*BUILT_IN, *provider_names()}
    info, profile = VENDORS[name].info, Config().profile(name)
    for place, variable in info.places.items():
        monkeypatch.setenv(variable or "UNUSED", "" if place == "api_version" else f"https://{place}.test")
    url = urlsplit(address(profile))
    assert url.scheme == ("http" if info.key_optional else "https")
    assert url.netloc
    assert "{" not in address(profile)
    for variable in info.key_variables:
        monkeypatch.delenv(variable, raising=False)
    if not info.key_optional:
        with pytest.raises(NotSetUpError, match=info.key_variables[-1]) as caught:
            connect(msgspec.structs.replace(profile, model="m"))
        assert info.keys_url in caught.value.hint
        assert name in str(caught.value)
    else:
        assert connect(profile).provider == name


def test_a_vendor_answers(asst: Asst, groq: ResponsesServer) -> None:
    """A key and a model are enough; the answer is recorded as the vendor's."""
    ran = asst("ask", "-p", "groq", "-m", "llama", "--json", "hi", env={"GROQ_API_KEY": groq.key})
    assert json.loads(ran.out)["answer"] == "Hello."
    assert json.loads(ran.out)["provider"] == "groq"
    assert str(groq.requests[-1]) == "POST /v1/chat/completions"


def test_setup_checks_the_key_and_the_model(asst: Asst, groq: ResponsesServer, config: Path) -> None:
    """As for any provider: a wrong key is refused with the page for keys, a wrong model with those there are."""
    key = {"GROQ_API_KEY": groq.key}
    wrong = asst("setup", "groq", "-m", "llama", "--yes", env={"GROQ_API_KEY": "gsk_wrong0123456789"})
    assert "https://console.groq.com/keys" in wrong.complaint
    assert "gsk_wrong" not in wrong.all
    assert "Did you mean llama" in asst("setup", "groq", "-m", "lama", "--yes", env=key).complaint
    several = asst("setup", "groq", "--yes", env=key)
    assert "Name one with --model: llama, qwen" in several.complaint
    ran = asst("setup", "groq", "-m", "qwen", "--yes", env=key)
    assert "Checked: GROQ_API_KEY works, 2 models." in ran.err
    assert (profiles(config)["groq"]["provider"], profiles(config)["groq"]["model"]) == ("groq", "qwen")


def test_list_shows_whose_key_was_found(asst: Asst) -> None:
    """A vendor is listed once its key is in the environment."""
    names = [row["name"] for row in json.loads(asst("setup", "list", "--json").out)]
    assert not {*names} & VENDORS.keys()
    rows = json.loads(asst("setup", "list", "--json", env={"GROQ_API_KEY": "gsk_test0123456789"}).out)
    assert [(row["name"], row["key"]) for row in rows if row["name"] in VENDORS] == [("groq", "environment")]


def test_doctor_shows_whose_key_was_found(asst: Asst) -> None:
    """Those of vendors are listed if they are there; the others would be a wall of names."""
    told = asst("doctor", "--offline", env={"GROQ_API_KEY": "gsk_test0123456789"}).all
    assert "GROQ_API_KEY" in told
    assert "MISTRAL_API_KEY" not in told
    assert "gsk_test" not in told


def test_a_vendor_that_nobody_knows(asst: Asst) -> None:
    """A typing error is told apart."""
    assert "Did you mean groq?" in asst("setup", "grok", "--yes").complaint


@pytest.mark.parametrize(
    ("speaks", "owner", "api"),
    [
        (("chat/completions", "models"), "system", "chat-completions"),
        (("responses", "models"), "system", None),
        (("chat/completions", "responses", "models"), "system", None),
        (("chat/completions", "responses", "models"), "llamacpp", "chat-completions"),
    ],
)
@pytest.mark.parametrize("written", ["", "/v1"])
def test_local_finds_out_what_the_server_speaks(
    asst: Asst, config: Path, speaks: tuple[str, ...], owner: str, api: str | None, written: str
) -> None:
    """`asst setup local --base-url URL` takes the better protocol, and the address with or without `/v1`; then it answers."""
    with VendorServer(
        [[Say("Hello.")]], speaks=speaks, prefix="/v1", owner=owner, models={"m": None}, key=""
    ) as server:
        ran = asst("setup", "local", "--base-url", server.url + written, "--yes")
        assert ran.code == 0, ran.err
        assert f"at {server.url}/v1." in ran.err
        saved = profiles(config)["local"]
        assert (saved["base_url"], saved.get("api"), saved["model"]) == (f"{server.url}/v1", api, "m")
        assert asst("ask", "-p", "local", "hi").out == "Hello.\n"


def test_a_server_of_ones_own(asst: Asst, config: Path) -> None:
    """`asst setup chat-completions --base-url … --api-key-env …`: the address is corrected, the key checked."""
    with VendorServer(
        [[Say("Hello.")]], speaks=("chat/completions", "models"), prefix="/v1", models={"m": None}
    ) as server:
        key = {"MY_KEY": server.key}
        command = ["setup", "chat-completions", "--base-url", server.url, "--api-key-env", "MY_KEY", "--yes"]
        ran = asst(*command, env=key)
        assert ran.code == 0, ran.err
        assert profiles(config)["chat-completions"] == {
            "provider": "chat-completions",
            "base_url": f"{server.url}/v1",
            "api_key_env": "MY_KEY",
            "model": "m",
        }
        assert asst("ask", "-p", "chat-completions", "hi", env=key).out == "Hello.\n"
        wrong = asst(*command, env={"MY_KEY": "sk-wrong-0123456789"})
        assert "MY_KEY" in wrong.complaint
        assert "sk-wrong" not in wrong.all


def test_a_server_that_speaks_only_responses(asst: Asst, config: Path) -> None:
    """For Chat Completions it is the wrong one; the command for it is named, and nothing is written."""
    with VendorServer(speaks=("responses", "models"), prefix="/v1", key="") as server:
        ran = asst("setup", "chat-completions", "--base-url", server.url, "-m", "m", "--yes")
    assert f"Run: asst setup local --base-url {server.url}/v1" in ran.complaint
    assert not config.exists()


@pytest.mark.parametrize(("provider", "command"), [("gpt", "chat-completions"), ("local", "local")])
def test_a_server_without_responses_is_set_up_by_the_command_that_is_named(
    asst: Asst, config: Path, provider: str, command: str
) -> None:
    """The error of `asst ask` names a command; it works as it is printed."""
    turns = [[Say("Hello.")]]
    with VendorServer(
        turns, speaks=("chat/completions", "models"), prefix="/v1", models={"m": None}, key="sk-x"
    ) as server:
        config.parent.mkdir(exist_ok=True)
        own = f'provider = "{provider}"\nmodel = "m"\nbase_url = "{server.base_url}"\napi_key_env = "MY_KEY"\n'
        config.write_text(f"[profiles.{provider}]\n{own}")
        key = {"MY_KEY": "sk-x"}
        ran = asst("ask", "-p", provider, "--no-save", "hi", env=key)
        named = f"asst setup {command} --base-url {server.base_url}"
        assert ran.complaint.endswith(f"Run: {named}")
        assert "speaks Chat Completions" in ran.complaint
        done = asst(*named.split()[1:], "--api-key-env", "MY_KEY", "--yes", env=key)
        assert done.code == 0, done.err
        assert asst("ask", "-p", command, "hi", env=key).out == "Hello.\n"


def test_azure_is_set_up_by_its_endpoint(asst: Asst, config: Path) -> None:
    """Its options are the places of its address; the name of the deployment is the model."""
    key = {"AZURE_OPENAI_API_KEY": "azure-0123456789"}
    missing = asst("setup", "azure", "-m", "m", "--yes", env=key)
    assert "asst setup azure --endpoint" in missing.complaint
    assert "AZURE_OPENAI_ENDPOINT" in missing.complaint
    unnamed = asst("setup", "azure", "--endpoint", "https://x.test", "--yes", env=key)
    assert "--model" in unnamed.complaint
    options = ["--endpoint", "https://x.test", "--deployment", "mine", "--api-version", "2024-10-21"]
    ran = asst("setup", "azure", *options, "--yes", env=key)
    assert ran.code == 0, ran.err
    assert "Not checked: azure has no list of models" in ran.err
    assert profiles(config)["azure"] == {
        "provider": "azure",
        "endpoint": "https://x.test",
        "deployment": "mine",
        "api_version": "2024-10-21",
        "model": "mine",
    }


def test_a_vendor_without_a_model_or_a_key(asst: Asst) -> None:
    """One line each, with the command that helps."""
    unnamed = asst("ask", "-p", "groq", "hi", env={"GROQ_API_KEY": "gsk_test0123456789"})
    assert "-m MODEL" in unnamed.complaint
    assert "asst setup groq" in unnamed.complaint
    keyless = asst("ask", "-p", "groq", "-m", "m", "hi")
    assert all(
        word in keyless.complaint for word in ("GROQ_API_KEY", "https://console.groq.com/keys", "asst setup groq")
    )


def test_completion_offers_vendors_once_a_letter_is_typed(complete: Complete) -> None:
    """No wall of names: before that, only those whose key is set."""
    assert not {*complete("asst ask -p ")} & VENDORS.keys()
    assert "groq" in complete("asst ask -p ", GROQ_API_KEY="gsk_test0123456789")
    assert complete("asst ask -p gro") == ["groq"]
    assert complete("asst setup gro") == ["groq"]
    assert not {*complete("asst setup ")} & VENDORS.keys()
