"""Vendors of Chat Completions: a row of a table each, which `asst ask -p` and `asst setup` take for a provider."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from asstproxy.config.profiles import Config
from asstproxy.config.provider_info import BUILT_IN
from asstproxy.config.vendors import VENDORS
from asstproxy.core.errors import NotSetUpError
from asstproxy.providers import connect
from asstproxy.providers.registry import address, provider_names
from servers import ResponsesServer, Say

from .conftest import Asst, profiles


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
    info, profile = VENDORS[name], Config().profile(name)
    assert address(profile) == info.base_url
    assert urlsplit(info.base_url).scheme == ("https" if info.key_variables else "http")
    for variable in info.key_variables:
        monkeypatch.delenv(variable, raising=False)
    if info.key_variables:
        with pytest.raises(NotSetUpError, match=info.key_variables[-1]) as caught:
            connect(profile)
        assert info.keys_url in caught.value.hint
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


def test_a_vendor_that_nobody_knows(asst: Asst) -> None:
    """A typing error is told apart."""
    assert "Did you mean groq?" in asst("setup", "grok", "--yes").complaint
