"""The example of docs/providers.md is a provider like any other: it passes the contract, and is found by its entry point."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from unittest import mock

import pytest

from asstproxy.config.profiles import Profile
from asstproxy.core.errors import Kind, NotSetUpError
from asstproxy.core.roles import AssistantProxy
from asstproxy.core.script import State
from asstproxy.providers import connect
from asstproxy.testing import Bench, Calls, Failure, Hang, ProviderContract, Reply, Text
from core.stage import Stage
from servers import Call, Fault, Output, ResponsesServer, Say, Stall, Status

ROOT = Path(__file__).parent.parent.parent
ENTRY_POINT = "[asstproxy.providers]\nchat = provider_echo:connect\n"
FAULTS: dict[Kind, Fault] = {"authentication": Status(401), "rate_limit": Status(429), "server": Status(500)}


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
    """The names of those that are there are said."""
    with pytest.raises(NotSetUpError, match="not installed") as caught:
        connect(Profile("mine", "nobody"))
    assert "chat" in caught.value.hint


class ChatBench:
    """A local server that speaks Chat Completions."""

    def __init__(self, server: ResponsesServer) -> None:
        self.server, self.secret = server, server.key

    def proxy(self) -> AssistantProxy:
        return connect(profile(self.server))

    def answers(self, *replies: Reply) -> None:
        self.server.faults.clear()
        left = [outputs(reply) for reply in replies]
        self.server.brain = lambda _: left.pop(0) if len(left) > 1 else left[0]
        for reply in replies:
            if isinstance(reply, Failure):
                self.server.faults.add(FAULTS[reply.kind])
            if isinstance(reply, Hang):
                self.server.faults.add(Stall())

    def heard(self) -> str:
        return json.dumps(self.server.requests[-1].json, ensure_ascii=False)


def outputs(reply: Reply) -> list[Output]:
    match reply:
        case Text(text):
            return [Say(text)]
        case Calls(calls):
            return [Call(name, args) for name, args in calls]
        case Hang() | Failure():
            return []


class TestExample(ProviderContract):
    failures = frozenset(FAULTS)

    @asynccontextmanager
    async def bench(self) -> AsyncIterator[Bench]:
        with ResponsesServer() as server, mock.patch.dict(os.environ, {"CHAT_KEY": server.key}):
            yield ChatBench(server)
            await server.eventually(lambda server: server.open_connections == 0)
