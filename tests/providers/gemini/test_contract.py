"""The gemini provider passes the contract, in both of Google's APIs and in every way in which it can be asked."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, ClassVar
from unittest import mock

import pytest

from asstproxy.config.profiles import Profile
from asstproxy.core.errors import Kind
from asstproxy.core.turn import Options
from asstproxy.providers import connect
from asstproxy.testing import Backend, CutOff, Filtered, ProviderContract
from providers.backends import Api, ServerBackend
from servers import ApiError, Cut, Fault, GeminiServer, Html, InteractionsServer, Reply, Status
from servers.vendors import Vendor

ASKED = "POST .*(:generateContent|:streamGenerateContent|/interactions)$"


@dataclass(frozen=True)
class SpentForToday(Fault):
    """A quota that comes back tomorrow."""

    def answer(self, vendor: Vendor) -> Reply:
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


GENERATE = {**FAULTS, "quota": SpentForToday()}


class TestGenerate(ProviderContract):
    failures = frozenset[Kind]({*FAULTS, "quota", "content"})
    another_model = "gemini-4-carbon"
    profile: ClassVar[dict[str, Any]] = {}
    server: ClassVar[type[GeminiServer]] = GeminiServer
    api: ClassVar[Api] = Api(ASKED, GENERATE, [Cut(1, how="end")], {})

    @asynccontextmanager
    async def backend(self) -> AsyncIterator[Backend]:
        with self.server() as server, mock.patch.dict(os.environ, {"GEMINI_API_KEY": server.key}):
            profile = Profile("p", "gemini", options={"base_url": server.url, "poll": 0.01, **self.profile})
            yield ServerBackend(server, self.api, lambda: connect(profile))
            await server.eventually(lambda server: server.open_connections == 0)


class TestGenerateInOneReply(TestGenerate):
    options = Options(stream=False)
    api = Api(ASKED, GENERATE, [Cut(byte=40)], {})


class TestInteractions(TestGenerate):
    failures = frozenset[Kind]({*FAULTS, "content"})  # a quota of this API does not say when it comes back
    profile: ClassVar = {"api": "interactions"}
    server: ClassVar[type[GeminiServer]] = InteractionsServer
    unsupported: ClassVar = {Filtered: "this API has no word for an answer that a filter cut short"}
    api = Api(ASKED, FAULTS, [Cut("interaction.completed", how="end", on="interactions")], {})


class TestInteractionsInOneReply(TestInteractions):
    options = Options(stream=False)
    api = Api(ASKED, FAULTS, [Cut(byte=40)], {})


class TestInteractionsInTheBackground(TestInteractions):
    unsupported: ClassVar = {
        **TestInteractions.unsupported,
        CutOff: "what Google works on is polled again, until the deadline of the exchange (test_background.py)",
    }
    options = Options(background=True)
    api = Api(ASKED, FAULTS, [Cut(byte=40, on="GET")], {})


class Sdk:
    """The same over Google's own client, where it is installed."""

    def setup_method(self, method: Callable[..., object]) -> None:
        genai = pytest.importorskip("google.genai")
        exotic = method.__name__ in ("test_answer", "test_same_answer_with_and_without_stream")
        if exotic and not isinstance(self, TestInteractions) and genai.__version__.startswith("2."):
            pytest.skip("2.x takes U+2028 for the end of a line")


class TestGenerateOverTheSdk(Sdk, TestGenerate):
    profile: ClassVar = {"transport": "sdk"}


class TestGenerateOverTheSdkInOneReply(TestGenerateOverTheSdk):
    options = Options(stream=False)
    api = TestGenerateInOneReply.api


class TestInteractionsOverTheSdk(Sdk, TestInteractions):
    profile: ClassVar = {"api": "interactions", "transport": "sdk"}


class TestInteractionsOverTheSdkInOneReply(TestInteractionsOverTheSdk):
    options = Options(stream=False)
    api = TestInteractionsInOneReply.api
