"""Plain HTTP to another machine is no error, and never goes unsaid. A local server stands in as the proxy on the way there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from asstproxy.config.base_url import is_exposed
from cli.setup.conftest import ASST, Asst
from cli.setup.tmux import Tmux
from servers import GeminiServer, ResponsesServer

WARNING = "uses plain HTTP to gpu.lan: others on the network can read the messages and the key."
AWAY = "http://gpu.lan:8000"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ResponsesServer]:
    """All plain HTTP goes to it, whatever the address says."""
    with ResponsesServer() as running:
        monkeypatch.setenv("HTTP_PROXY", running.url)
        monkeypatch.setenv("OPENAI_API_KEY", running.key)
        yield running


@pytest.mark.parametrize(
    "profile",
    [
        'provider = "gpt"',
        'provider = "gpt"\ntransport = "sdk"',
        'provider = "local"\nmodel = "gpt-6-luna"\napi_key_env = "OPENAI_API_KEY"',
    ],
    ids=["gpt", "sdk", "local"],
)
def test_it_is_told_once(asst: Asst, config: Path, server: ResponsesServer, profile: str) -> None:
    """One line on stderr for each command, whatever the transport; the answer is as ever, and `--quiet` says nothing."""
    config.parent.mkdir()
    config.write_text(f'default = "p"\n[profiles.p]\n{profile}\nbase_url = "{AWAY}/v1"\n')
    ran = asst("ask", "hello")
    assert (ran.code, ran.out) == (0, "You said: hello\n")
    assert server.requests[-1].headers["host"] == "gpu.lan:8000"  # it was sent there, in the open
    assert ran.err.count(WARNING) == 1
    assert f"asst: 'p' {WARNING}" in ran.err
    assert WARNING in asst("ask", "-c", "--json", "again").err
    ran = asst("ask", "-q", "hello")
    assert (ran.out, ran.err) == ("You said: hello\n", "")
    assert asst("setup", "check", "p").err.count(WARNING) == 1


def test_of_a_variable(asst: Asst, server: ResponsesServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The address may come from the environment."""
    monkeypatch.setenv("OPENAI_BASE_URL", f"{AWAY}/v1")
    assert WARNING in asst("ask", "-p", "gpt", "hello").err
    assert server.requests


@pytest.mark.parametrize("api", ["generate", "interactions"])
def test_gemini(asst: Asst, config: Path, monkeypatch: pytest.MonkeyPatch, api: str) -> None:
    """Google's key is a key, too."""
    config.parent.mkdir()
    config.write_text(f'[profiles.gemini]\nbase_url = "{AWAY}"\napi = "{api}"\n')
    with GeminiServer() as running:
        monkeypatch.setenv("HTTP_PROXY", running.url)
        ran = asst("ask", "-p", "gemini", "hello", env={"GEMINI_API_KEY": running.key})
        assert running.requests
    assert ran.err.count(WARNING) == 1


def test_setup_and_doctor(asst: Asst, config: Path, server: ResponsesServer) -> None:
    """Who sets it up is told, checked or not; doctor lists it as a warning."""
    for how in ([], ["--no-check"]):
        ran = asst("setup", "gpt", "--base-url", f"{AWAY}/v1", "--yes", *how)
        assert ran.code == 0, ran.err
        assert ran.err.count(WARNING) == 1
    found = json.loads(asst("doctor", "--offline", "--json").out)["findings"]
    warned = [one for one in found if "plain HTTP" in one["text"]]
    assert [(one["what"], one["status"]) for one in warned] == [("gpt", "warning")]
    assert "https" in warned[0]["hint"]


def test_chat(config: Path, server: ResponsesServer) -> None:
    """It stands above the first prompt."""
    config.parent.mkdir()
    config.write_text(f'default = "gpt"\n[profiles.gpt]\nbase_url = "{AWAY}/v1"\n')
    with Tmux([ASST, "chat"], columns=200) as screen:
        screen.wait_for("Ctrl-D leaves")
        assert screen.text.count(WARNING) == 1
        screen.enter("/quit")
        screen.wait_end(0)


def test_a_server_of_tools(asst: Asst, config: Path, server: ResponsesServer) -> None:
    """An MCP server gets its headers in the open, too."""
    pytest.importorskip("mcp")
    config.parent.mkdir()
    config.write_text(f'[profiles.gpt.mcp.wiki]\nurl = "{AWAY}/mcp"\nheaders = {{ Authorization = "Bearer x" }}\n')
    ran = asst("tools", "list", "-p", "gpt")
    assert f"The MCP server 'wiki' {WARNING}" in ran.err


HERE = ["localhost", "LOCALHOST", "a.localhost", "localhost.", "127.0.0.1", "127.8.9.1", "[::1]", "0.0.0.0", "[::]"]  # noqa: S104 - nothing is bound
ELSEWHERE = [
    "example.com",
    "10.0.0.1",
    "192.168.1.2",
    "169.254.169.254",
    "[fe80::1]",
    "127.0.0.1.evil.com",
    "x-localhost",
]


def test_which_addresses_are_this_machine() -> None:
    """Loopback is; private and link-local networks are not, nor names that only look like it; HTTPS never warns."""
    for host in HERE:
        assert not is_exposed(f"http://{host}:8000/v1"), host
    for host in ELSEWHERE:
        assert is_exposed(f"http://{host}:8000/v1"), host
        assert is_exposed(f"HTTP://me:secret@{host}/v1"), host
        assert not is_exposed(f"https://{host}:8000/v1"), host
    for nonsense in ("", "http://", "http://[", "nonsense"):
        assert not is_exposed(nonsense)
