"""`asst models`: the provider's own list, with prices."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from asstproxy.text.figures import short_count
from servers import AnthropicServer, GeminiServer, Reply, Request, ResponsesServer, refused_port
from servers.http import Server

from .conftest import ASST, Asst
from .terminal import Terminal
from .test_settings_option import write_profiles

LISTED = {
    "data": [
        {"id": "vendor/big", "context_length": 262_144, "pricing": {"prompt": "0.000002", "completion": "0.00001"}},
        {"id": "vendor/free", "pricing": {"prompt": "0", "completion": "0"}},
        {"id": "plain"},
        {"id": "odd", "context_length": "many", "pricing": {"prompt": "free", "completion": -1}},
    ]
}


def test_a_pipe_gets_fields_with_tabs(asst: Asst, server: ResponsesServer) -> None:
    """Id, note, context, prices for a million tokens, shutdown date; the models worth offering come first."""
    ran = asst("models", "gpt")
    assert (ran.code, ran.err) == (0, "")
    rows = [line.split("\t") for line in ran.out.splitlines()]
    assert rows[0] == ["gpt-6-luna", "cheapest", "1050000", "0.1", "0.5", ""]
    assert ["gpt-4o", "", "128000", "2.5", "10", "2027-01-14"] in rows
    assert all(len(row) == 6 for row in rows)
    assert asst("ask", "-p", "gpt", "--models").out == ran.out


def test_json_has_null_for_what_is_unknown(asst: Asst, server: ResponsesServer) -> None:
    """Never 0 for a price that nobody knows."""
    server.models = {"gpt-6-luna": None, "mine": None}
    assert json.loads(asst("models", "gpt", "--json").out) == [
        {
            "id": "gpt-6-luna",
            "note": "cheapest",
            "context": 1_050_000,
            "input_price": 0.1,
            "output_price": 0.5,
            "shutdown": None,
        },
        {"id": "mine", "note": "", "context": None, "input_price": None, "output_price": None, "shutdown": None},
    ]


def test_the_table_fits_the_terminal(server: ResponsesServer) -> None:
    """As the screens have it: prices, context, notes and shutdown dates in columns."""
    with Terminal([ASST, "models", "gpt"], 80) as terminal:
        assert terminal.wait_end() == 0
        lines = [line.rstrip() for line in terminal.text.splitlines() if line.strip()]
    assert lines[0].split() == ["Model", "In", "/", "out", "per", "1M", "Context", "Notes"]
    assert lines[1].split() == ["gpt-6-luna", "$0.10", "/", "$0.50", "1.05M", "cheapest"]
    assert any(line.endswith("shuts down 2026-12-11") for line in lines)
    assert max(map(len, lines)) <= 80


def test_a_narrow_table_keeps_the_names(server: ResponsesServer) -> None:
    """At 60 columns the context is left out: a name that is cut names no model."""
    with Terminal([ASST, "models", "gpt"], 60) as terminal:
        assert terminal.wait_end() == 0
        lines = terminal.text.splitlines()
    assert lines[0].split() == ["Model", "In", "/", "out", "per", "1M", "Notes"]
    assert not [line for line in lines if "…" in line]
    assert any(line.startswith("gpt-6.1-terra ") for line in lines)
    assert any(line.endswith("shuts down 2026-12-11") for line in lines)


@pytest.mark.parametrize("provider", ["chat-completions", "groq", "openrouter", "ollama", "local"])
def test_the_list_of_the_server_wins_over_the_table(asst: Asst, monkeypatch: pytest.MonkeyPatch, provider: str) -> None:
    """OpenRouter's list has prices for each token and the context; nonsense counts as unknown."""

    async def answer(_: Request) -> Reply:
        return Reply.json(LISTED)

    with Server(answer) as server:
        for vendor in ("GROQ", "OPENROUTER"):
            monkeypatch.setenv(f"{vendor}_API_KEY", "sk-x")
        write_profiles(f'[profiles.mine]\nprovider = "{provider}"\nbase_url = "{server.url}"\n')
        found = {one["id"]: one for one in json.loads(asst("models", "mine", "--json").out)}
    assert [found["vendor/big"][key] for key in ("context", "input_price", "output_price")] == [262_144, 2.0, 10.0]
    assert [found["vendor/free"][key] for key in ("input_price", "output_price")] == [0, 0]
    unknown = 0 if provider in ("ollama", "local") else None  # on this machine, nothing is paid
    assert [found["plain"][key] for key in ("context", "input_price")] == [None, unknown]
    assert [found["odd"][key] for key in ("context", "input_price", "output_price")] == [None, unknown, unknown]


def _gemini(monkeypatch: pytest.MonkeyPatch) -> Any:
    server = GeminiServer()
    monkeypatch.setenv("GEMINI_API_KEY", server.key)
    return server, "GOOGLE_GEMINI_BASE_URL"


def _anthropic(monkeypatch: pytest.MonkeyPatch) -> Any:
    server = AnthropicServer()
    monkeypatch.setenv("ANTHROPIC_API_KEY", server.key)
    return server, "ANTHROPIC_BASE_URL"


@pytest.mark.parametrize(("profile", "make"), [("gemini", _gemini), ("anthropic", _anthropic)])
def test_every_vendor_has_its_list(
    asst: Asst, monkeypatch: pytest.MonkeyPatch, profile: str, make: Callable[[pytest.MonkeyPatch], Any]
) -> None:
    """The same command, whatever the API's list looks like."""
    server, variable = make(monkeypatch)
    with server:
        monkeypatch.setenv(variable, server.url)
        found = json.loads(asst("models", profile, "--json").out)
    assert found
    assert all(one["id"] and "/" not in one["id"] for one in found)


def test_without_a_key_it_is_the_usual_line(asst: Asst) -> None:
    """Exit 3: which variable, which command."""
    ran = asst("models", "gpt")
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (3, "", 1)
    assert "OPENAI_API_KEY" in ran.err
    assert asst("models", "nobody").code == 3


def test_a_server_that_cannot_be_reached_is_one_line(asst: Asst, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 1."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-x")
    with refused_port() as port:
        monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{port}/v1")
        ran = asst("models", "gpt")
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (1, "", 1)


def test_a_provider_without_a_list_says_so(asst: Asst) -> None:
    """A recording has no models: exit 3, one line."""
    ran = asst("models", "replay:x")
    assert (ran.code, ran.err) == (3, "asst: replay has no list of models. Its own documentation names them.\n")


@pytest.mark.parametrize(
    ("tokens", "text"),
    [(850, "850"), (14_096, "14k"), (128_000, "128k"), (999_999, "1M"), (1_050_000, "1.05M"), (2_000_000, "2M")],
)
def test_a_count_is_short(tokens: int, text: str) -> None:
    """As the screens write it."""
    assert short_count(tokens) == text
