"""The gemini provider passes the contract, in both of Google's APIs and in every way in which it can be asked."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, ClassVar
from unittest import mock

import pytest

from asstproxy.config.profiles import Profile
from asstproxy.core.errors import Kind
from asstproxy.core.roles import AssistantProxy
from asstproxy.core.turn import Options
from asstproxy.providers import connect
from asstproxy.testing import Bench, Calls, Failure, Hang, ProviderContract, Reply, Text
from servers import ApiError, Block, Call, Cut, Fault, GeminiServer, Html, InteractionsServer, Output, Say, Status, Wait
from servers import Reply as Answer
from servers.vendors import Vendor

ASKED = "POST .*(:generateContent|:streamGenerateContent|/interactions)$"


@dataclass(frozen=True)
class SpentForToday(Fault):
    """A quota that comes back tomorrow."""

    def answer(self, vendor: Vendor) -> Answer:
        violation = {"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}
        details = [{"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [violation]}]
        return vendor.refusal(ApiError(429, "You exceeded your current quota.", details=details))


FAULTS: dict[Kind, Fault] = {
    "authentication": Status(403, message="The key AIza-test-0123456789 may not do this.", on=ASKED),
    "not_found": Status(404, message="models/gone is not found for API version v1beta.", on=ASKED),
    "invalid_request": Status(400, message="Two\nlines.", on=ASKED),
    "rate_limit": Status(429, on=ASKED),
    "server": Status(503, on=ASKED),
    "connection": Cut(on=ASKED),
    "protocol": Html(on=ASKED),
}


class GeminiBench:
    """A local server that speaks one of Google's protocols."""

    def __init__(self, server: GeminiServer, proxy: Callable[[], AssistantProxy]) -> None:
        self.server, self.proxy, self.secret = server, proxy, server.key

    def answers(self, *replies: Reply) -> None:
        self.server.faults.clear()
        left = [outputs(reply) for reply in replies]
        self.server.brain = lambda _: left.pop(0) if len(left) > 1 else left[0]
        for reply in replies:
            if isinstance(reply, Failure) and reply.kind in FAULTS:
                self.server.faults.add(FAULTS[reply.kind])
            elif isinstance(reply, Failure) and reply.kind == "quota":
                self.server.faults.add(SpentForToday(on=ASKED))

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
        case Failure("content"):
            return [Block()]
        case Failure():
            return []


class TestGenerate(ProviderContract):
    failures = frozenset[Kind]({*FAULTS, "quota", "content"})
    profile: ClassVar[dict[str, Any]] = {}
    server: ClassVar[type[GeminiServer]] = GeminiServer

    @asynccontextmanager
    async def bench(self) -> AsyncIterator[Bench]:
        with self.server() as server, mock.patch.dict(os.environ, {"GEMINI_API_KEY": server.key}):
            profile = Profile("p", "gemini", options={"base_url": server.url, "poll": 0.01, **self.profile})
            yield GeminiBench(server, lambda: connect(profile))
            await server.eventually(lambda server: server.open_connections == 0)


class TestGenerateInOneReply(TestGenerate):
    options = Options(stream=False)


class TestInteractions(TestGenerate):
    failures = frozenset[Kind]({*FAULTS, "content"})  # a quota of this API does not say when it comes back
    profile: ClassVar = {"api": "interactions"}
    server: ClassVar[type[GeminiServer]] = InteractionsServer


class TestInteractionsInOneReply(TestInteractions):
    options = Options(stream=False)


class TestInteractionsInTheBackground(TestInteractions):
    options = Options(background=True)


class Sdk:
    """The same over Google's own client, where it is installed."""

    def setup_method(self, method: Callable[..., object]) -> None:
        genai = pytest.importorskip("google.genai")
        exotic = method.__name__ in ("test_an_answer", "test_streamed_or_not_it_is_the_same_answer")
        if exotic and not isinstance(self, TestInteractions) and genai.__version__.startswith("2."):
            pytest.skip("2.x takes U+2028 for the end of a line")


class TestGenerateOverTheSdk(Sdk, TestGenerate):
    profile: ClassVar = {"transport": "sdk"}


class TestGenerateOverTheSdkInOneReply(TestGenerateOverTheSdk):
    options = Options(stream=False)


class TestInteractionsOverTheSdk(Sdk, TestInteractions):
    profile: ClassVar = {"api": "interactions", "transport": "sdk"}


class TestInteractionsOverTheSdkInOneReply(TestInteractionsOverTheSdk):
    options = Options(stream=False)
