"""The example of docs/providers.md is a provider like any other: it passes the contract, and is found by its entry point."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar
from unittest import mock

import pytest

from asstproxy.config.profiles import Profile
from asstproxy.core.errors import Kind, NotSetUpError
from asstproxy.core.script import State
from asstproxy.providers import connect
from asstproxy.testing import Backend, ErrorInAnswer, Hang, ProviderContract, Signed
from core.stage import Stage
from servers import Call, Cut, Document, Fault, ResponsesServer, Say, Stall, Status

from .backends import Api, ServerBackend

ROOT = Path(__file__).parent.parent.parent
ENTRY_POINT = "[asstproxy.providers]\nchat = provider_echo:connect\n"


def profile(server: ResponsesServer) -> Profile:
    return Profile("mine", "chat", model="gpt-6-luna", options={"base_url": server.base_url, "api_key_env": "CHAT_KEY"})


@pytest.fixture(autouse=True)
def _installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if a package had brought it."""
    package = tmp_path / "provider_echo-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: provider-echo\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text(ENTRY_POINT)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.syspath_prepend(str(ROOT / "examples"))
    monkeypatch.delitem(sys.modules, "provider_echo", raising=False)


async def test_it_is_found_and_holds_a_conversation(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the name under which its package registers it."""
    with ResponsesServer([[Say("hello")], [Call("add", {"a": 1, "b": 2})], [Say("three")]]) as server:
        monkeypatch.setenv("CHAT_KEY", server.key)
        stage = Stage(assistant=connect(profile(server)), tools=[add])
        records = [await stage.conversation.exchange(text) for text in ("hi", "add")]
        await stage.conversation.aclose()
    stage.assert_conforms()
    assert [record.state for record in records] == [State.COMPLETED] * 2


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def test_one_that_is_not_installed() -> None:
    """The error lists the providers that are installed."""
    with pytest.raises(NotSetUpError, match="not installed") as caught:
        connect(Profile("mine", "nobody"))
    assert "chat" in caught.value.hint


FAULTS: dict[Kind, Fault] = {"authentication": Status(401), "rate_limit": Status(429), "server": Status(500)}
BROKEN = Document('{"error": {"code": "server_error", "message": "The model had an error."}}')
API = Api("POST /v1/chat/completions$", FAULTS, [Cut(byte=40)], {Hang: Stall(), ErrorInAnswer: BROKEN})


class TestExample(ProviderContract):
    """Against the server with which all providers are tested, as a profile makes it."""

    failures = frozenset(FAULTS)
    another_model = "gpt-6.1-terra"
    unsupported: ClassVar = {Signed: "Chat Completions signs nothing"}

    @asynccontextmanager
    async def backend(self) -> AsyncIterator[Backend]:
        with ResponsesServer() as server, mock.patch.dict(os.environ, {"CHAT_KEY": server.key}):
            yield ServerBackend(server, API, lambda: connect(profile(server)))
            await server.eventually(lambda server: server.open_connections == 0)


def test_its_own_test_passes() -> None:
    """The test file next to it runs as its author would run it, with nothing but what asstproxy brings."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "examples/test_provider_echo.py"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout
