"""An assistant with a fallback, or within a budget, is an assistant: it passes the contract that every provider passes."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from unittest import mock

from asstproxy.config.profiles import Profile
from asstproxy.core.roles import AssistantProxy
from asstproxy.providers import connect
from asstproxy.providers.budget import Budget, within_budget
from asstproxy.providers.fallback import Candidate, with_fallbacks
from asstproxy.testing import Backend
from servers import ResponsesServer

from . import test_contract as contract
from .backends import ServerBackend


class TestWithinABudget(contract.TestGpt):
    """Of a thousand dollars, which nothing here costs."""

    @asynccontextmanager
    async def backend(self) -> AsyncIterator[Backend]:
        with ResponsesServer() as server, mock.patch.dict(os.environ, {"OPENAI_API_KEY": server.key}):
            profile = Profile("p", "gpt", options={"base_url": server.base_url, "poll": 0.01})
            budget = Budget(1000.0)
            yield ServerBackend(server, self.api, lambda: within_budget(connect(profile), budget, "p"))
            await server.eventually(lambda server: server.open_connections == 0)


class TestWithAFallback(contract.TestGpt):
    """The same server again: what fails, fails there, too; but what fails once, the other one answers at once."""

    test_failed_request_can_be_repeated = None  # type: ignore[assignment]  # not for this one

    @asynccontextmanager
    async def backend(self) -> AsyncIterator[Backend]:
        with ResponsesServer() as server, mock.patch.dict(os.environ, {"OPENAI_API_KEY": server.key}):
            profile = Profile("p", "gpt", options={"base_url": server.base_url, "poll": 0.01})

            def proxy() -> AssistantProxy:
                return with_fallbacks([Candidate("p", connect(profile), {}), Candidate("q", connect(profile), {})])

            yield ServerBackend(server, self.api, proxy)
            await server.eventually(lambda server: server.open_connections == 0)
