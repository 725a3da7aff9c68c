"""From a profile and the environment to an address and a key."""

from __future__ import annotations

import sys
from typing import Any

import httpx2
import pytest

from asstproxy.cli.hints import hint_for
from asstproxy.config.profiles import Profile, credentials_file
from asstproxy.core.errors import NotSetUpError
from asstproxy.core.script import State
from asstproxy.providers import connect
from asstproxy.providers.gemini.endpoint import Endpoint, GeminiOptions, endpoint
from asstproxy.providers.gemini.generate import GenerateProvider
from asstproxy.providers.gemini.interactions import InteractionsProvider
from asstproxy.providers.transport.failures import broken_connection
from core.stage import Stage
from servers import GeminiServer, InteractionsServer

DEVELOPER = "https://generativelanguage.googleapis.com/v1beta"
CLOUD = "https://aiplatform.googleapis.com/v1beta1"


def place(monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], environment: dict[str, str]) -> Endpoint:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    profile = Profile("gemini", "gemini", options=options)
    return endpoint(profile.read(GeminiOptions), profile)


KEY = {"GEMINI_API_KEY": "k"}
PROJECT = {"GOOGLE_CLOUD_PROJECT": "p"}
PLACES: list[tuple[dict[str, Any], dict[str, str], str, str | None]] = [
    ({}, KEY, DEVELOPER, "k"),
    ({}, KEY | {"GOOGLE_API_KEY": "g"}, DEVELOPER, "g"),
    ({"api_key_env": "MINE"}, KEY | {"MINE": "m"}, DEVELOPER, "m"),
    ({"base_url": "http://h:4000/"}, KEY, "http://h:4000/v1beta", "k"),
    ({"base_url": "http://h/v1"}, KEY, "http://h/v1", "k"),
    ({"base_url": "http://h/v1alpha1"}, KEY, "http://h/v1alpha1", "k"),
    ({}, KEY | {"GOOGLE_GEMINI_BASE_URL": "http://e"}, "http://e/v1beta", "k"),
    ({}, KEY | PROJECT, DEVELOPER, "k"),
    ({"vertex": False, "project": "p"}, KEY, DEVELOPER, "k"),
    ({"project": "p"}, {}, f"{CLOUD}/projects/p/locations/global", None),
    ({"vertex": True}, PROJECT, f"{CLOUD}/projects/p/locations/global", None),
    ({}, PROJECT | {"GOOGLE_GENAI_USE_ENTERPRISE": "True"}, f"{CLOUD}/projects/p/locations/global", None),
    ({}, PROJECT | {"GOOGLE_GENAI_USE_VERTEXAI": "1"}, f"{CLOUD}/projects/p/locations/global", None),
    (
        {},
        KEY | {"GOOGLE_GENAI_USE_VERTEXAI": "1", "GOOGLE_GENAI_USE_ENTERPRISE": "false"},
        DEVELOPER,
        "k",
    ),
    (
        {"project": "p", "location": "europe-west4"},
        {},
        "https://europe-west4-aiplatform.googleapis.com/v1beta1/projects/p/locations/europe-west4",
        None,
    ),
    (
        {"project": "p"},
        {"GOOGLE_CLOUD_LOCATION": "eu"},
        "https://aiplatform.eu.rep.googleapis.com/v1beta1/projects/p/locations/eu",
        None,
    ),
    (
        {"project": "p"},
        {"GOOGLE_VERTEX_BASE_URL": "http://v", "GOOGLE_GEMINI_BASE_URL": "http://no"},
        "http://v/v1beta1/projects/p/locations/global",
        None,
    ),
    ({"vertex": True}, {"GOOGLE_API_KEY": "g"}, CLOUD, "g"),
    ({"project": "p", "api_key_env": "MINE"}, {"MINE": "m"}, f"{CLOUD}/projects/p/locations/global", "m"),
]


@pytest.mark.parametrize(("options", "environment", "url", "key"), PLACES)
def test_places(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], environment: dict[str, str], url: str, key: str | None
) -> None:
    """The profile comes first, then Google's own variables; the mode decides which base URL counts."""
    found = place(monkeypatch, options, environment)
    assert (found.url, found.key) == (url, key)


def test_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said where to get one, and how to set it."""
    with pytest.raises(NotSetUpError, match="GEMINI_API_KEY is not set") as caught:
        place(monkeypatch, {}, {})
    assert "https://aistudio.google.com/apikey" in caught.value.hint
    assert "GEMINI_API_KEY" in caught.value.hint
    assert "asst setup gemini" in hint_for(caught.value)
    credentials_file().parent.mkdir(parents=True)
    credentials_file().write_text('GEMINI_API_KEY = "kept"\n')
    assert place(monkeypatch, {}, {}).key == "kept"


@pytest.mark.parametrize(
    "options", [{"location": "Nowhere!", "project": "p"}, {"api": "other"}, {"vertex": "yes"}, {"poll": "fast"}]
)
def test_options_that_are_wrong(monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]) -> None:
    """They are said before anything is sent."""
    with pytest.raises(NotSetUpError):
        place(monkeypatch, options, KEY)


@pytest.mark.parametrize(
    ("api", "kind", "server"),
    [("generate", GenerateProvider, GeminiServer), ("interactions", InteractionsProvider, InteractionsServer)],
)
async def test_a_profile_is_enough(monkeypatch: pytest.MonkeyPatch, api: str, kind: Any, server: Any) -> None:
    """With a key in the environment, and nothing else set up."""
    with server() as served:
        monkeypatch.setenv("GEMINI_API_KEY", served.key)
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", served.url)
        assistant = connect(Profile("gemini", "gemini", options={"api": api}))
        assert isinstance(assistant, kind)
        assert (assistant.provider, assistant.model) == ("gemini", "gemini-3.8-flash")
        stage = Stage(assistant=assistant)
        assert (await stage.conversation.exchange("hi")).state == State.COMPLETED
        await stage.conversation.aclose()


@pytest.mark.parametrize("model", ["gemini-4-neon", "models/gemini-4-neon"])
async def test_models_by_either_name(monkeypatch: pytest.MonkeyPatch, model: str) -> None:
    """With and without Google's own prefix."""
    with GeminiServer() as served:
        monkeypatch.setenv("GEMINI_API_KEY", served.key)
        options = {"base_url": served.url}
        stage = Stage(assistant=connect(Profile("gemini", "gemini", model=model, options=options)), stream=False)
        assert (await stage.conversation.exchange("hi")).state == State.COMPLETED
        await stage.conversation.aclose()
        assert served.requests[0].path == "/v1beta/models/gemini-4-neon:generateContent"


def test_a_location_that_is_none() -> None:
    """It has no address: that is what to check, and not a base URL that nobody set."""
    unknown = broken_connection(httpx2.ConnectError("no such host"), "https://mars1-aiplatform.googleapis.com/v1beta1")
    assert "location" in unknown.hint


async def test_express_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    """Agent Platform with a key and without a project."""
    with GeminiServer() as served:
        monkeypatch.setenv("GOOGLE_API_KEY", served.key)
        options = {"base_url": served.url, "vertex": True}
        stage = Stage(assistant=connect(Profile("gemini", "gemini", options=options)))
        assert (await stage.conversation.exchange("hi")).state == State.COMPLETED
        await stage.conversation.aclose()
        assert served.requests[0].path.startswith("/v1beta1/publishers/google/models/")


def test_packages_that_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is named, with what brings it."""
    for name in ("google", "google.genai", "google.auth"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setenv("GEMINI_API_KEY", "k")
    with pytest.raises(NotSetUpError) as caught:
        connect(Profile("gemini", "gemini", options={"transport": "sdk"}))
    assert "google-genai" in caught.value.hint
    with pytest.raises(NotSetUpError) as caught:
        connect(Profile("gemini", "gemini", options={"project": "p"}))
    assert "asstproxy[vertex]" in caught.value.hint
