"""`asst ask --fallback`: another profile answers, and everybody can see it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from asstproxy import Store
from servers import GeminiServer, ResponsesServer, Say, Status, refused_port

from .conftest import Asst
from .test_settings_option import write_profiles


@pytest.fixture
def gemini(monkeypatch: pytest.MonkeyPatch) -> Iterator[GeminiServer]:
    """The fallback's API."""
    with GeminiServer([[Say("Gemini here.")]] * 9) as running:
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", running.url)
        monkeypatch.setenv("GEMINI_API_KEY", running.key)
        yield running


ASK = ["ask", "-p", "gpt", "--fallback", "gemini"]


@pytest.mark.parametrize("status", [401, 404, 429, 500, 503])
def test_the_next_profile_answers(asst: Asst, server: ResponsesServer, gemini: GeminiServer, status: int) -> None:
    """Stdout is its answer; one line on stderr says why; the session says who, and passes `replay --check`."""
    server.faults.add(Status(status))
    ran = asst(*ASK, "hi")
    assert (ran.code, ran.out) == (0, "Gemini here.\n")
    label, notice = ran.err.splitlines()
    assert label == "gpt · gpt-6-luna"
    assert notice.startswith("asst: gpt: ")
    assert notice.endswith(" Asking gemini instead.")
    assert len(server.requests) == 1
    assert asst("replay", "--check").code == 0
    transcript = Store().transcript(Store().newest())
    assert (transcript.exchanges[0].provider, transcript.profile) == ("gemini", "gpt")
    assert json.loads(asst("usage", "--by", "profile", "--json").out)["rows"][0]["profile"] == "gemini"


def test_a_server_that_is_gone_is_taken_over(asst: Asst, gemini: GeminiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """No connection at all, with the answer as JSON."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-x")
    with refused_port() as port:
        monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{port}/v1")
        ran = asst(*ASK, "--json", "hi")
    result = json.loads(ran.out)
    assert (result["answer"], result["provider"], len(result["notices"])) == ("Gemini here.", "gemini", 1)


def test_a_bad_request_is_not_taken_over(asst: Asst, server: ResponsesServer, gemini: GeminiServer) -> None:
    """What the first API refuses is for the user to correct."""
    server.faults.add(Status(400))
    assert asst(*ASK, "hi").code == 1
    assert not gemini.requests


@pytest.mark.parametrize("profile", ["gemini", "nobody"])
def test_a_fallback_that_is_not_set_up_is_known_at_once(
    asst: Asst, server: ResponsesServer, monkeypatch: pytest.MonkeyPatch, profile: str
) -> None:
    """No key or no such profile: exit 3, one line, no request; not when it is needed."""
    monkeypatch.delenv("GEMINI_API_KEY", raising=False)
    ran = asst("ask", "-p", "gpt", "--fallback", profile, "hi")
    assert (ran.code, len(ran.err.splitlines()), server.requests) == (3, 1, [])


def test_several_fallbacks_are_asked_in_turn(asst: Asst, server: ResponsesServer, gemini: GeminiServer) -> None:
    """In the order of the command line; each gets its own settings, and of `-O` what it knows."""
    write_profiles(
        '[profiles.second]\nprovider = "gpt"\nmodel = "gpt-6.1-terra"\n[profiles.gemini]\nsettings = { top_k = 3 }\n'
    )
    server.faults.add(Status(500, first=2))
    options = ["--fallback", "second", "--fallback", "gemini", "-O", "temperature=0.5", "-O", "truncation=auto"]
    ran = asst("ask", "-p", "gpt", *options, "hi")
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (0, "Gemini here.\n", 3), ran.err
    assert [request.json["model"] for request in server.requests] == ["gpt-6-luna", "gpt-6.1-terra"]
    assert gemini.requests[-1].json["generationConfig"] == {"topK": 3, "temperature": 0.5}


def test_retry_after_all_failed(asst: Asst, server: ResponsesServer, gemini: GeminiServer) -> None:
    """`--retry` sends the message again, to the first one first."""
    server.faults.add(Status(401, first=1))
    gemini.faults.add(Status(403, first=1))
    assert asst(*ASK, "hi").code == 1
    server.brain = lambda _: [Say("Back.")]
    assert asst("ask", "--retry", "--fallback", "gemini").out == "Back.\n"
    assert asst("replay", "--check").code == 0
