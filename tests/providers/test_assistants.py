"""`assistants` passes the contract, in a stream and polled, at a server as OpenAI had it and at open-assistant-api's like."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, ClassVar
from unittest import mock

import pytest

from asstproxy.config.profiles import Profile
from asstproxy.core.errors import Kind
from asstproxy.core.turn import Options
from asstproxy.providers import connect
from asstproxy.testing import Backend, CutOff, Filtered, Length, ProviderContract, Signed
from servers import AssistantsServer, Cut, Fault, Html, Status

from .backends import Api, ServerBackend

ASKED = r"POST /api/v1/threads/\w+/runs(/\w+/submit_tool_outputs)?$"
FAULTS: dict[Kind, Fault] = {
    "authentication": Status(401, message="Incorrect API key provided: sk-test-0123456789abcdef."),
    "not_found": Status(404, code="model_not_found"),
    "invalid_request": Status(400, message="Two\nlines."),
    "rate_limit": Status(429),
    "quota": Status(429, code="insufficient_quota"),
    "context_length": Status(400, code="context_length_exceeded"),
    "server": Status(500),
    "connection": Cut(),
    "protocol": Html(),
}
API = Api(ASKED, FAULTS, [], {})
KEPT: dict[Any, str] = {
    Signed: "the server keeps the thread, and nothing comes back from a client",
    CutOff: "what the server works on is polled, until the deadline of the exchange (system/faults)",
}


def profile(server: AssistantsServer, **options: Any) -> Profile:
    own = {"base_url": server.base_url, "assistant_id": server.assistant, "poll": 0.01}
    return Profile("p", "assistants", model="gpt-6-luna", options=own | options)


class TestStreamed(ProviderContract):
    failures = frozenset({*FAULTS, "content"})
    another_model = "gpt-6.1-terra"
    unsupported: ClassVar[Mapping[Any, str]] = KEPT
    oaa: ClassVar[bool] = False

    @asynccontextmanager
    async def backend(self) -> AsyncIterator[Backend]:
        with AssistantsServer(oaa=self.oaa) as server, mock.patch.dict(os.environ, {"ASSISTANTS_API_KEY": server.key}):
            yield ServerBackend(server, API, lambda: connect(profile(server)))
            await server.eventually(lambda server: server.open_connections == 0)


class TestPolled(TestStreamed):
    options = Options(stream=False)


class TestInTheBackground(TestStreamed):
    options = Options(background=True)


class TestPolledInTheBackground(TestStreamed):
    options = Options(background=True, stream=False)


class TestOpenAssistantApi(TestStreamed):
    oaa = True
    unsupported: ClassVar = KEPT | dict.fromkeys((Length, Filtered), "its runs have no such status: they are completed")


class TestOpenAssistantApiPolled(TestOpenAssistantApi):
    options = Options(stream=False)

    def test_text_before_tool_call(self) -> None:
        pytest.skip("it keeps no text that comes before a call: only a stream has it")
