"""Every provider, in every way in which it can be asked, passes the contract that third parties' providers pass."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count
from typing import Any, ClassVar
from unittest import mock

import msgspec
from openai import AsyncOpenAI

from asstproxy.config.profiles import Profile
from asstproxy.core.errors import AssistantError, Kind
from asstproxy.core.events import ActionRequired, ChunkReceived, ToolCall
from asstproxy.core.roles import AssistantProxy
from asstproxy.core.turn import Options
from asstproxy.providers import connect
from asstproxy.providers.scripted import Part, ScriptedAssistant, say
from asstproxy.testing import Bench, Calls, Failure, Hang, ProviderContract, Reply, Text
from servers import Call, Cut, Fault, Html, Output, ResponsesServer, Say, Status, Wait

# ---- scripted ------------------------------------------------------------------------------------------------------------


class ScriptedBench:
    """No server: the proxies themselves are given the replies."""

    secret = ""

    def __init__(self) -> None:
        self.proxies: list[ScriptedAssistant] = []
        self.replies: list[list[Part]] = []
        self.ids = (f"call_{n}" for n in count())

    def proxy(self) -> AssistantProxy:
        self.proxies.append(ScriptedAssistant(*(self.proxies[-1].left if self.proxies else self.replies)))
        return self.proxies[-1]

    def answers(self, *replies: Reply) -> None:
        self.replies = [self.parts(reply) for reply in (*replies, *replies[-1:] * 9)]
        for proxy in self.proxies:
            proxy.give(*self.replies)

    def parts(self, reply: Reply) -> list[Part]:
        match reply:
            case Text(text):
                return say(text, pieces=3)
            case Calls(calls):
                return [ActionRequired(tuple(ToolCall(next(self.ids), name, json.dumps(args)) for name, args in calls))]
            case Failure(kind):
                return [AssistantError(kind, "It failed.", "Do better.", retryable=kind == "rate_limit")]
            case Hang(text):
                return [ChunkReceived(text), 3600.0]

    def heard(self) -> str:
        proxy = next(proxy for proxy in reversed(self.proxies) if proxy.turns)
        turn = proxy.turns[-1]
        return msgspec.json.encode([turn.history, turn.text, proxy.results]).decode()


class TestScripted(ProviderContract):
    failures = frozenset({"rate_limit", "server", "content"})

    @asynccontextmanager
    async def bench(self) -> AsyncIterator[Bench]:
        yield ScriptedBench()


# ---- gpt -----------------------------------------------------------------------------------------------------------------

ASKED = "POST /v1/responses$"
FAULTS: dict[Kind, Fault] = {
    "authentication": Status(401, message="Incorrect API key provided: sk-test-0123456789abcdef.", on=ASKED),
    "not_found": Status(404, code="model_not_found", on=ASKED),
    "invalid_request": Status(400, message="Two\nlines.", on=ASKED),
    "rate_limit": Status(429, on=ASKED),
    "quota": Status(429, code="insufficient_quota", on=ASKED),
    "context_length": Status(400, code="context_length_exceeded", on=ASKED),
    "server": Status(500, on=ASKED),
    "connection": Cut(on=ASKED),
    "protocol": Html(on=ASKED),
}


class GptBench:
    """A local server that speaks OpenAI's protocol."""

    def __init__(self, server: ResponsesServer, proxy: Callable[[], AssistantProxy]) -> None:
        self.server, self.proxy, self.secret = server, proxy, server.key

    def answers(self, *replies: Reply) -> None:
        self.server.faults.clear()
        left = [outputs(reply) for reply in replies]
        self.server.brain = lambda _: left.pop(0) if len(left) > 1 else left[0]
        for reply in replies:
            if isinstance(reply, Failure):
                self.server.faults.add(FAULTS[reply.kind])

    def heard(self) -> str:
        return json.dumps(self.server.contexts[-1], ensure_ascii=False)


def outputs(reply: Reply) -> list[Output]:
    match reply:
        case Text(text):
            return [Say(text)]
        case Calls(calls):
            return [Call(name, args) for name, args in calls]
        case Hang(text):
            return [*([Say(text)] if text else []), Wait(3600)]
        case Failure():
            return []


class TestGpt(ProviderContract):
    failures = frozenset(FAULTS)
    profile: ClassVar[dict[str, Any]] = {}

    @asynccontextmanager
    async def bench(self) -> AsyncIterator[Bench]:
        with ResponsesServer() as server, mock.patch.dict(os.environ, {"OPENAI_API_KEY": server.key}):
            profile = Profile("p", "gpt", options={"base_url": server.base_url, "poll": 0.01, **self.profile})
            yield GptBench(server, lambda: connect(profile))
            await server.eventually(lambda server: server.open_connections == 0)


class TestGptWithServerHistory(TestGpt):
    profile: ClassVar = {"history": "server"}


class TestGptInOneReply(TestGpt):
    options = Options(stream=False)


class TestGptInTheBackground(TestGpt):
    options = Options(background=True)


class TestGptInTheBackgroundWithServerHistory(TestGpt):
    options = Options(background=True)
    profile: ClassVar = {"history": "server"}


class TestGptOverTheSdk(TestGpt):
    profile: ClassVar = {"transport": "sdk"}


class TestGptOverTheSdkInOneReply(TestGpt):
    profile: ClassVar = {"transport": "sdk"}
    options = Options(stream=False)


class TestGptOverACallersClient(ProviderContract):
    failures = frozenset(FAULTS)

    @asynccontextmanager
    async def bench(self) -> AsyncIterator[Bench]:
        with ResponsesServer() as server:
            async with AsyncOpenAI(base_url=server.base_url, api_key=server.key) as client:
                yield GptBench(server, lambda: connect(Profile("p", "gpt"), client=client))


# ---- local, with a server that runs already --------------------------------------------------------------------------------


class TestLocal(TestGpt):
    """Any server that speaks the protocol: nothing is stored there, so everything is sent each time."""

    @asynccontextmanager
    async def bench(self) -> AsyncIterator[Bench]:
        with ResponsesServer() as server, mock.patch.dict(os.environ, {"LOCAL_KEY": server.key}):
            options = {"base_url": server.base_url, "api_key_env": "LOCAL_KEY", **self.profile}
            profile = Profile("p", "local", model="gpt-6-luna", options=options)
            yield GptBench(server, lambda: connect(profile))
            await server.eventually(lambda server: server.open_connections == 0)


class TestLocalInOneReply(TestLocal):
    options = Options(stream=False)


# ---- gemini has a bench, and a class for each way of asking, in test_gemini_contract.py ------------------------------------


def test_the_suite_needs_no_plugin() -> None:
    """A third party may run it with what the standard library has."""
    code = """
import sys, unittest
from asstproxy.testing import ProviderContract
assert "pytest" not in sys.modules
class TestBare(ProviderContract, unittest.TestCase): pass
result = unittest.TestResult()
unittest.defaultTestLoader.loadTestsFromTestCase(TestBare).run(result)
assert result.testsRun == len(result.errors) > 10, result
assert all("NotImplementedError" in trace for _, trace in result.errors)
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=60)
