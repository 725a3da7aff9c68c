"""Every provider, in every way in which it can be asked, passes the contract that third parties' providers pass."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from itertools import count
from typing import Any, ClassVar, cast
from unittest import mock

import msgspec
from openai import AsyncOpenAI

from asstproxy.config.profiles import Profile
from asstproxy.core.errors import AssistantError, Kind
from asstproxy.core.events import ActionRequired, ChunkReceived, Event, MessageIncomplete, ToolCall, ToolResult
from asstproxy.core.roles import AssistantProxy
from asstproxy.core.turn import Options, Turn
from asstproxy.providers import connect
from asstproxy.providers.local.local import EmbeddedProvider, EmbeddedTransport
from asstproxy.providers.scripted import Part, ScriptedProvider, say
from asstproxy.providers.transport.http import HttpTransport
from asstproxy.testing import (
    Backend,
    Calls,
    CutOff,
    ErrorInAnswer,
    Failure,
    Filtered,
    Hang,
    Length,
    ProviderContract,
    RateLimited,
    ReceivedRequest,
    Reply,
    Signed,
    Text,
)
from servers import Cut, Fault, Html, ResponsesServer, Status

from .backends import Api, ServerBackend

# ---- scripted ------------------------------------------------------------------------------------------------------------


class Sending(ScriptedProvider):
    """A scripted assistant that notes what a provider would send."""

    def __init__(self, received: list[ReceivedRequest], *replies: list[Part]) -> None:
        super().__init__(*replies)
        self.received = received
        self.conversation: list[Any] = []

    async def start_processing(self, turn: Turn) -> AsyncGenerator[Event]:
        self.conversation = [*turn.history, turn.text]
        async with aclosing(self.sending(super().start_processing(turn), [])) as events:
            async for event in events:
                yield event

    async def submit_tool_outputs(self, results: Sequence[ToolResult]) -> AsyncGenerator[Event]:
        async with aclosing(self.sending(super().submit_tool_outputs(results), list(results))) as events:
            async for event in events:
                yield event

    async def sending(self, events: AsyncIterator[Event], new: list[ToolResult]) -> AsyncGenerator[Event]:
        yield await anext(events)
        turn, conversation = self.turns[-1], [*self.conversation, *new]
        body = {"instructions": turn.instructions, "settings": turn.settings, "tools": turn.tools}
        text = msgspec.json.encode(conversation).decode()
        self.received.append(ReceivedRequest(turn.model or self.model, msgspec.to_builtins(body), text))
        async for event in events:
            if isinstance(event, ActionRequired):
                self.conversation = [*conversation, event]
            yield event


class ScriptedBackend:
    """No server: the proxies themselves are given the replies."""

    secret = ""

    def __init__(self) -> None:
        self.proxies: list[ScriptedProvider] = []
        self.requests: list[ReceivedRequest] = []
        self.replies: list[list[Part]] = []
        self.ids = (f"call_{n}" for n in count())

    def proxy(self) -> AssistantProxy:
        self.proxies.append(Sending(self.requests, *(self.proxies[-1].left if self.proxies else self.replies)))
        return self.proxies[-1]

    def will_reply(self, *replies: Reply) -> None:
        self.replies = [self.parts(reply) for reply in (*replies, *replies[-1:] * 9)]
        for proxy in self.proxies:
            proxy.give(*self.replies)

    def parts(self, reply: Reply) -> list[Part]:
        match reply:
            case Text(text):
                return say(text, pieces=3)
            case Calls(calls, text):
                made = (ToolCall(next(self.ids), name, json.dumps(arguments)) for name, arguments in calls)
                return [ActionRequired(tuple(made), text)]
            case Signed(signed, signature):
                return [*self.parts(signed)[:-1], msgspec.structs.replace(self.parts(signed)[-1], raw=signature)]  # type: ignore[type-var]
            case Length(text):
                return [ChunkReceived(text), MessageIncomplete(text, "max_output_tokens")]
            case Filtered(text):
                return [ChunkReceived(text), MessageIncomplete(text, "content_filter")]
            case CutOff(text):
                return [ChunkReceived(text), AssistantError("connection", "The answer broke off.")]
            case ErrorInAnswer(text):
                return [ChunkReceived(text), AssistantError("server", "The model had an error.")]
            case Failure(kind):
                return [AssistantError(kind, "It failed.", "Do better.", retryable=kind == "rate_limit")]
            case RateLimited(seconds):
                return [AssistantError("rate_limit", "Too many.", retryable=True, retry_after=seconds)]
            case Hang(text):
                return [ChunkReceived(text), 3600.0]

    def received(self) -> list[ReceivedRequest]:
        return self.requests

    def active_requests(self) -> int:
        return 0

    def open_connections(self) -> int:
        return 0


class TestScripted(ProviderContract):
    failures = frozenset({"rate_limit", "server", "content"})

    @asynccontextmanager
    async def backend(self) -> AsyncIterator[Backend]:
        yield ScriptedBackend()


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


API = Api(ASKED, FAULTS, [Cut("response.completed", how="end")], {})
IN_ONE_REPLY = Api(ASKED, FAULTS, [Cut(byte=40)], {})
IN_BACKGROUND = Api(ASKED, FAULTS, [Cut("response.completed", how="end"), Cut(byte=40, on="GET")], {})

POLLED: Mapping[Any, str] = {
    CutOff: "what the server works on is polled again, until the deadline of the exchange (test_gpt.py)"
}


class TestGpt(ProviderContract):
    failures = frozenset(FAULTS)
    another_model = "gpt-6.1-terra"
    profile: ClassVar[dict[str, Any]] = {}
    api: ClassVar[Api] = API

    @asynccontextmanager
    async def backend(self) -> AsyncIterator[Backend]:
        with ResponsesServer() as server, mock.patch.dict(os.environ, {"OPENAI_API_KEY": server.key}):
            profile = Profile("p", "gpt", options={"base_url": server.base_url, "poll": 0.01, **self.profile})
            yield ServerBackend(server, self.api, lambda: connect(profile))
            await server.eventually(lambda server: server.open_connections == 0)


KEPT = {Signed: "OpenAI keeps the conversation, what other models have signed included"}


class TestGptWithServerHistory(TestGpt):
    unsupported: ClassVar = KEPT
    profile: ClassVar = {"history": "server"}


class TestGptInOneReply(TestGpt):
    options = Options(stream=False)
    api = IN_ONE_REPLY


class TestGptInTheBackground(TestGpt):
    unsupported: ClassVar = POLLED
    options = Options(background=True)
    api = IN_BACKGROUND


class TestGptPolledInTheBackground(TestGpt):
    unsupported: ClassVar = POLLED
    options = Options(background=True, stream=False)
    api = IN_BACKGROUND


class TestGptInTheBackgroundWithServerHistory(TestGpt):
    unsupported: ClassVar = {**KEPT, **POLLED}
    options = Options(background=True)
    api = IN_BACKGROUND
    profile: ClassVar = {"history": "server"}


class TestGptOverTheSdk(TestGpt):
    profile: ClassVar = {"transport": "sdk"}


class TestGptOverTheSdkInOneReply(TestGpt):
    profile: ClassVar = {"transport": "sdk"}
    options = Options(stream=False)
    api = IN_ONE_REPLY


class TestGptOverACallersClient(ProviderContract):
    failures = frozenset(FAULTS)
    another_model = "gpt-6.1-terra"
    api: ClassVar[Api] = API

    @asynccontextmanager
    async def backend(self) -> AsyncIterator[Backend]:
        with ResponsesServer(key="sk-callers-9876543210fedcba") as server:  # asst has never read this key
            async with AsyncOpenAI(base_url=server.base_url, api_key=server.key) as client:
                yield ServerBackend(server, self.api, lambda: connect(Profile("p", "gpt"), client=client))


class TestGptOverACallersClientInOneReply(TestGptOverACallersClient):
    options = Options(stream=False)
    api = IN_ONE_REPLY


# ---- local: a server that runs already, and llama.cpp ---------------------------------------------------------------------


class TestLocal(TestGpt):
    """Any server that speaks the protocol: nothing is stored there, so everything is sent each time."""

    @asynccontextmanager
    async def backend(self) -> AsyncIterator[Backend]:
        with ResponsesServer() as server, mock.patch.dict(os.environ, {"LOCAL_KEY": server.key}):
            options = {"base_url": server.base_url, "api_key_env": "LOCAL_KEY", **self.profile}
            profile = Profile("p", "local", model="gpt-6-luna", options=options)
            yield ServerBackend(server, self.api, lambda: connect(profile))
            await server.eventually(lambda server: server.open_connections == 0)


class Engine(HttpTransport):
    """Stands for llama.cpp in a process of ours, which needs a model file; test_local.py runs the real one."""

    is_ready = True

    async def renders_tools(self) -> bool:
        return True


class TestEmbedded(TestLocal):
    another_model = ""  # the file that was loaded

    @asynccontextmanager
    async def backend(self) -> AsyncIterator[Backend]:
        with ResponsesServer() as server:

            def proxy() -> AssistantProxy:
                engine = Engine(server.base_url, {"Authorization": f"Bearer {server.key}"})
                return EmbeddedProvider(cast("EmbeddedTransport", engine), "gpt-6-luna", 512)

            yield ServerBackend(server, self.api, proxy)
            await server.eventually(lambda server: server.open_connections == 0)


class TestLocalInOneReply(TestLocal):
    options = Options(stream=False)
    api = IN_ONE_REPLY


# ---- gemini has a backend, and a class for each way of asking, in gemini/test_contract.py ------------------------------------


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
